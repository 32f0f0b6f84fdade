/** A running `derper`: relay, listeners, STUN, admission and links to siblings, started and stopped together. */

import { readFileSync } from 'node:fs'
import { AdmissionSwitch } from '../admission/admission-switch.ts'
import type { AdmissionSettings } from '../admission/create-admission.ts'
import { Readmission } from '../admission/readmission.ts'
import { AcceptLimits } from '../http/accept-limits.ts'
import { BootstrapNames } from '../http/bootstrap-names.ts'
import type { NodePrivateKey } from '../keys/node-key.ts'
import { systemClock } from '../lib/clock.ts'
import { Mesh } from '../mesh/mesh.ts'
import { AdmissionCounters } from '../metrics/admission-counters.ts'
import { createRelay, type Relay } from '../relay.ts'
import type { RateLimit } from '../server/rate-limit.ts'
import { STUN_PORT } from '../stun/constants.ts'
import { createStunServer, type StunServer } from '../stun/server.ts'
import type { CertificateSource } from '../tls/certificate-source.ts'
import type { MapNode, MapNodePorts } from '../tls/map-node.ts'
import { bind, type WantedPort } from './bind.ts'
import { withoutSecrets } from './command-line.ts'
import { addDaemonChecks } from './daemon-checks.ts'
import { DERPER_FLAGS } from './derper-flags.ts'
import type { DerperSettings } from './derper-settings.ts'
import { stunOptions, wantedStunPort } from './derper-stun.ts'
import { Draining } from './draining.ts'
import { type IdleCollection, idleCollection } from './idle-collection.ts'
import { laterUses } from './later-uses.ts'
import { LimitWatch } from './limit-watch.ts'
import type { LevelledLog } from './log.ts'
import { packetTotals } from './packet-totals.ts'
import { dropPrivileges, warnOfLost } from './privileges.ts'
import { RelayListeners, wantedTcpPorts } from './relay-listeners.ts'
import type { ReloadTarget } from './reload.ts'
import type { DrainSettings } from './settings/drain-settings.ts'
import type { LiveSettings } from './settings/live-settings.ts'
import { packageVersion } from './version.ts'
import { WatchingListener, wantedWatchingPort } from './watching-listener.ts'

/** All ports that `settings` ask for. */
export function wantedPorts(settings: DerperSettings): WantedPort[] {
  const stun = wantedStunPort(settings)
  return [...wantedTcpPorts(settings), ...(stun === undefined ? [] : [stun]), ...wantedWatchingPort(settings)]
}

export class DerperDaemon implements ReloadTarget {
  readonly relay: Relay
  readonly draining: Draining
  readonly #settings: DerperSettings
  readonly #env: NodeJS.ProcessEnv
  readonly #log: LevelledLog
  readonly #acceptLimits: AcceptLimits
  readonly #stun: StunServer | undefined
  readonly #admission: AdmissionSwitch
  readonly #readmission: Readmission
  readonly #mesh: Mesh | undefined
  readonly #names: { readonly published: BootstrapNames | undefined; readonly unpublished: BootstrapNames | undefined }
  readonly #watching: WatchingListener | undefined
  readonly #limits: LimitWatch
  readonly #idle: IdleCollection
  #drain: DrainSettings
  #listeners: RelayListeners | undefined
  /** The UDP port that was bound. */
  stunPort: number | undefined

  /** Binds nothing, asks nobody. @throws DerpError naming the setting that is no good. */
  constructor(settings: DerperSettings, privateKey: NodePrivateKey, log: LevelledLog, env: NodeJS.ProcessEnv) {
    this.#settings = settings
    this.#env = env
    this.#log = log
    this.#drain = settings.drain
    this.#acceptLimits = new AcceptLimits(settings.limits.accept, systemClock, log)
    const counters = new AdmissionCounters()
    this.#admission = new AdmissionSwitch(
      settings.admission,
      { clock: systemClock, log, counters },
      {
        onKey: key => this.relay.core.directory.closePeer(key),
        onToken: () => void this.#readmission.run(({ token }) => token !== undefined),
      },
    )
    this.#readmission = new Readmission(() => this.relay.core.sessions, this.#admission, log)
    this.#names = {
      published: bootstrapNames(settings.publishedNames, log),
      unpublished: bootstrapNames(settings.unpublishedNames, log),
    }
    const stun = stunOptions(settings, log)
    this.#stun = stun && createStunServer(stun)
    this.relay = createRelay({
      ...settings,
      ...settings.limits,
      privateKey,
      log,
      admission: this.#admission,
      trustedProxies: settings.proxies.trustedProxies,
      bootstrapDns: this.#names,
      debug: debugOptions(settings, env),
      program: { ...this.#program(), admission: () => (this.#admission.isSet ? counters : undefined) },
    })
    if (settings.siblings !== undefined) this.#mesh = new Mesh(this.relay.core, settings.siblings)
    if (settings.watching !== undefined) this.#watching = new WatchingListener(settings.watching, this.relay)
    this.#limits = new LimitWatch(this.relay.metrics, systemClock, log)
    this.#idle = idleCollection(this.relay.core.counters)
    this.draining = this.#createDraining()
    addDaemonChecks(this.relay.readiness, {
      draining: this.draining,
      isListening: () => this.#listeners?.isListening ?? false,
      certificates: () => this.certificates,
      admission: this.#admission,
      mesh: () => this.#mesh?.numbers(),
      wallNow: () => systemClock.wallNow(),
    })
  }

  /** Where metrics are served apart from all else, if they are. */
  get metricsAddress(): string | undefined {
    return this.#watching?.address
  }

  /** The TCP port that was bound. */
  get port(): number {
    return this.#listeners?.port ?? 0
  }

  /** The port for plain HTTP beside TLS that was bound, if any. */
  get httpPort(): number | undefined {
    return this.#listeners?.httpPort
  }

  /** Where certificates come from, and how they are; undefined without TLS. */
  get certificates(): CertificateSource | undefined {
    return this.#listeners?.certificates
  }

  /** The relay's entry in a DERP map, where its certificate is of its own making. */
  get mapNode(): MapNode | undefined {
    const node = this.#listeners?.mapNode
    return node && { ...node, ...this.#mapNodePorts() }
  }

  /** Binds everything. @throws DerpError naming the flag whose port cannot be had, or the file that is no good. */
  async start(): Promise<void> {
    const mapNodePorts = () => this.#mapNodePorts()
    this.#listeners = await RelayListeners.create(this.#settings, {
      relay: this.relay,
      limits: this.#acceptLimits,
      log: this.#log,
      mapNodePorts,
    })
    const [stun, wanted] = [this.#stun, wantedStunPort(this.#settings)]
    if (stun !== undefined && wanted !== undefined) this.stunPort = (await bind(wanted, () => stun.listen())).port
    await this.#listeners.listen()
    await this.#watching?.listen()
    this.#dropPrivileges()
    await this.#listeners.start()
    this.#names.published?.start()
    this.#names.unpublished?.start()
    this.#mesh?.start()
    for (const note of this.#settings.notes) this.#log.warn(note)
    this.#admission.start()
    this.#limits.start()
    this.#idle.start()
  }

  applySettings({ logLevel, metricsAccess, drain }: LiveSettings, admission: AdmissionSettings | undefined): void {
    if (admission !== undefined) {
      this.#admission.replace(admission)
      void this.#readmission.run()
    }
    this.#log.level = logLevel
    this.#drain = drain
    if (this.#watching !== undefined) this.#watching.access = metricsAccess
  }

  applyRateLimit(limit: RateLimit | undefined): void {
    this.relay.core.rateLimit = limit
  }

  reloadFiles(): void {
    this.#admission.reload()
    void this.certificates?.reload()
  }

  /** Ends all connections and frees all ports. */
  async stop(): Promise<void> {
    this.#limits.stop()
    this.#readmission.stop()
    this.#idle.stop()
    this.#admission.close()
    this.#names.published?.stop()
    this.#names.unpublished?.stop()
    await this.#mesh?.stop()
    this.relay.close()
    await Promise.all([this.#listeners?.close(), this.#stun?.close()])
    // The last, for those who watch.
    await this.#watching?.close()
  }

  #createDraining(): Draining {
    const { relay } = this
    return new Draining({
      clock: systemClock,
      log: this.#log,
      settings: () => this.#drain,
      connections: () => relay.core.counters.currentConnections,
      stopListening: () => {
        this.#listeners?.stopListening()
        // Clients choose their relay by its answers.
        void this.#stun?.close()
      },
      drain: async options => {
        const result = await relay.drain(options)
        await this.#mesh?.stop()
        return result
      },
      totals: async () => packetTotals(await relay.metrics()),
    })
  }

  /** After this only what anybody may do can be done. */
  #dropPrivileges(): void {
    const { account } = this.#settings
    if (account === undefined) return
    dropPrivileges(account)
    this.#log.info('rights of root given up', { ...account })
    warnOfLost(laterUses(this.#settings, this.#env['TS_DEBUG_KEY_PATH']), this.#log)
  }

  /** Those where clients would not look by themselves. */
  #mapNodePorts(): MapNodePorts {
    const { port, httpPort, stunPort } = this
    return {
      ...(port !== 443 && { DERPPort: port }),
      ...(stunPort !== STUN_PORT && { STUNPort: stunPort ?? -1 }),
      ...(httpPort === 80 && { CanPort80: true }),
    }
  }

  #program() {
    return {
      stun: () => this.#stun?.counters,
      stunRequests: () => this.#stun?.requests,
      certificates: () => this.certificates?.status(),
      mesh: () => this.#mesh?.numbers(),
      connections: this.#acceptLimits.counters,
      tls: this.#settings.tls !== undefined,
      version: packageVersion(),
      commandLine: withoutSecrets(process.argv, DERPER_FLAGS),
    }
  }
}

function bootstrapNames(text: string, log: LevelledLog): BootstrapNames | undefined {
  return text === '' ? undefined : new BootstrapNames(text, { log })
}

/** The trimmed text of a file; undefined when it cannot be read, as the original takes it. */
function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}

/** The original's two ways to open the debug pages to others. */
function debugOptions(settings: DerperSettings, env: NodeJS.ProcessEnv) {
  const { TS_ALLOW_DEBUG_IP: allowAddress, TS_DEBUG_KEY_PATH: keyPath } = env
  return {
    access: {
      ...(allowAddress !== undefined && { allowAddress }),
      ...(keyPath !== undefined && { readKey: () => readIfPresent(keyPath) }),
    },
    hintsAtAccess: settings.dev,
    tlsHostname: settings.tls?.hostname ?? '',
  }
}
