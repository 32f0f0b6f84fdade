/** A running `derper`: relay, STUN, admission and links to siblings, started and stopped together. */

import type { AdmissionSettings } from '../admission/create-admission.ts'
import { Readmission } from '../admission/readmission.ts'
import { ReloadableAdmission } from '../admission/reloadable-admission.ts'
import { withoutSecrets } from '../cli/command-line.ts'
import { DERPER_FLAGS } from '../cli/derper/derper-flags.ts'
import type { DerperSettings } from '../cli/derper/derper-settings.ts'
import type { ReloadTarget } from '../cli/derper/reload.ts'
import type { DrainSettings } from '../cli/derper/settings/drain-settings.ts'
import type { LiveSettings } from '../cli/derper/settings/live-settings.ts'
import { packageVersion } from '../cli/version.ts'
import { BootstrapNames } from '../http/pages/bootstrap-names.ts'
import type { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
import { systemClock } from '../lib/clock.ts'
import { Mesh } from '../mesh/mesh.ts'
import { AdmissionCounters } from '../metrics/admission-counters.ts'
import type { RateLimit } from '../server/rate-limit.ts'
import { STUN_PORT } from '../stun/constants.ts'
import { createStunServer, type StunServer } from '../stun/server.ts'
import type { CertificateSource } from '../tls/certificate-source.ts'
import type { MapNode, MapNodePorts } from '../tls/map-node.ts'
import { bind, type WantedPort } from './bind.ts'
import { addDaemonChecks } from './daemon-checks.ts'
import type { DaemonRelay, DaemonRelayParts } from './daemon-relay.ts'
import { stunOptions, wantedStunPort } from './derper-stun.ts'
import { Draining } from './draining.ts'
import { LimitWatch } from './limit-watch.ts'
import type { LevelledLog } from './log.ts'
import { WatchingListener, wantedWatchingPort } from './metrics-listener.ts'
import { packetTotals } from './packet-totals.ts'
import { laterUses } from './paths-used-after-start.ts'
import { dropPrivileges, warnOfLost } from './privileges.ts'
import { wantedTcpPorts } from './relay-listeners.ts'
import { SingleRelay } from './single-relay.ts'
import { WorkerRelay } from './workers/worker-relay.ts'

/** All ports that `settings` ask for. */
export function wantedPorts(settings: DerperSettings): WantedPort[] {
  const stun = wantedStunPort(settings)
  return [...wantedTcpPorts(settings), ...(stun === undefined ? [] : [stun]), ...wantedWatchingPort(settings)]
}

export class DerperDaemon implements ReloadTarget {
  readonly #relay: DaemonRelay
  readonly draining: Draining
  readonly #settings: DerperSettings
  readonly #env: NodeJS.ProcessEnv
  readonly #log: LevelledLog
  readonly #stun: StunServer | undefined
  readonly #admission: ReloadableAdmission
  readonly #readmission: Readmission
  readonly #mesh: Mesh | undefined
  readonly #names: { readonly published: BootstrapNames | undefined; readonly unpublished: BootstrapNames | undefined }
  readonly #watching: WatchingListener | undefined
  readonly #limits: LimitWatch
  #drain: DrainSettings
  /** The UDP port that was bound. */
  stunPort: number | undefined

  /** Binds nothing, asks nobody. @throws DerpError naming the setting that is no good. */
  constructor(settings: DerperSettings, privateKey: NodePrivateKey, log: LevelledLog, env: NodeJS.ProcessEnv) {
    this.#settings = settings
    this.#env = env
    this.#log = log
    this.#drain = settings.drain
    const counters = new AdmissionCounters()
    this.#admission = new ReloadableAdmission(
      settings.admission,
      { clock: systemClock, log, counters },
      {
        onKey: key => this.#relay.closePeer(key),
        onToken: () => void this.#readmission.run(({ token }) => token !== undefined),
      },
    )
    this.#readmission = new Readmission(() => this.#relay.clients, this.#admission, log)
    const onRefresh = () => this.#relay.namesChanged()
    this.#names = {
      published: bootstrapNames(settings.publishedNames, log, onRefresh),
      unpublished: bootstrapNames(settings.unpublishedNames, log, onRefresh),
    }
    const stun = stunOptions(settings, log)
    this.#stun = stun && createStunServer(stun)
    const parts: DaemonRelayParts = {
      settings,
      privateKey,
      env,
      log,
      admission: this.#admission,
      names: this.#names,
      program: { ...this.#program(), admission: () => (this.#admission.isSet ? counters : undefined) },
      mapNodePorts: () => this.#mapNodePorts(),
    }
    this.#relay = settings.workers === 1 ? new SingleRelay(parts) : new WorkerRelay(parts)
    if (settings.siblings !== undefined) this.#mesh = new Mesh(this.#relay, settings.siblings)
    if (settings.watching !== undefined) this.#watching = new WatchingListener(settings.watching, this.#relay)
    this.#limits = new LimitWatch(this.#relay.metrics, systemClock, log)
    this.draining = this.#createDraining()
    addDaemonChecks(this.#relay.readiness, {
      draining: this.draining,
      isListening: () => this.#relay.isListening,
      certificates: () => this.certificates,
      admission: this.#admission,
      mesh: () => this.#mesh?.numbers(),
      wallNow: () => systemClock.wallNow(),
    })
  }

  get publicKey(): NodePublicKey {
    return this.#relay.publicKey
  }

  /** Where metrics are served apart from all else, if they are. */
  get metricsAddress(): string | undefined {
    return this.#watching?.address
  }

  /** The TCP port that was bound. */
  get port(): number {
    return this.#relay.port
  }

  /** The port for plain HTTP beside TLS that was bound, if any. */
  get httpPort(): number | undefined {
    return this.#relay.httpPort
  }

  /** Where certificates come from, and how they are; undefined without TLS. */
  get certificates(): CertificateSource | undefined {
    return this.#relay.certificates
  }

  /** The relay's entry in a DERP map, where its certificate is of its own making. */
  get mapNode(): MapNode | undefined {
    const node = this.#relay.mapNode
    return node && { ...node, ...this.#mapNodePorts() }
  }

  /** Binds everything. @throws DerpError naming the flag whose port cannot be had, or the file that is no good. */
  async start(): Promise<void> {
    await this.#relay.prepare()
    const [stun, wanted] = [this.#stun, wantedStunPort(this.#settings)]
    if (stun !== undefined && wanted !== undefined) this.stunPort = (await bind(wanted, () => stun.listen())).port
    await this.#relay.listen()
    await this.#watching?.listen()
    this.#dropPrivileges()
    await this.#relay.start()
    this.#names.published?.start()
    this.#names.unpublished?.start()
    this.#mesh?.start()
    for (const note of this.#settings.notes) this.#log.warn(note)
    this.#admission.start()
    this.#limits.start()
  }

  applySettings({ logLevel, metricsAccess, drain }: LiveSettings, admission: AdmissionSettings | undefined): void {
    if (admission !== undefined) {
      this.#admission.replace(admission)
      void this.#readmission.run()
    }
    this.#log.level = logLevel
    this.#relay.setLogLevel(logLevel)
    this.#drain = drain
    if (this.#watching !== undefined) this.#watching.access = metricsAccess
  }

  applyRateLimit(limit: RateLimit | undefined): void {
    this.#relay.limitRate(limit)
  }

  reloadFiles(): void {
    this.#admission.reload()
    void this.certificates?.reload()
  }

  /** Ends all connections and frees all ports. */
  async stop(): Promise<void> {
    this.#limits.stop()
    this.#readmission.stop()
    this.#admission.close()
    this.#names.published?.stop()
    this.#names.unpublished?.stop()
    await this.#mesh?.stop()
    await Promise.all([this.#relay.close(), this.#stun?.close()])
    // The last, for those who watch.
    await this.#watching?.close()
  }

  #createDraining(): Draining {
    return new Draining({
      clock: systemClock,
      log: this.#log,
      settings: () => this.#drain,
      connections: () => this.#relay.connections,
      stopListening: () => {
        this.#relay.stopListening()
        // Clients choose their relay by its answers.
        void this.#stun?.close()
      },
      drain: async options => {
        const result = await this.#relay.drain(options)
        await this.#mesh?.stop()
        return result
      },
      totals: async () => packetTotals(await this.#relay.metrics()),
    })
  }

  /** After this only what anybody may do can be done. */
  #dropPrivileges(): void {
    const { account, workers } = this.#settings
    if (account === undefined) return
    dropPrivileges(account)
    this.#log.info('rights of root given up', { ...account })
    // The system lets only sockets of one user share a port.
    if (workers > 1)
      this.#log.warn('a worker that fails cannot be replaced under another user: those that are left serve all')
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
      mesh: () => this.#mesh?.numbers(),
      tls: this.#settings.tls !== undefined,
      version: packageVersion(),
      commandLine: withoutSecrets(process.argv, DERPER_FLAGS),
    }
  }
}

function bootstrapNames(text: string, log: LevelledLog, onRefresh: () => void): BootstrapNames | undefined {
  return text === '' ? undefined : new BootstrapNames(text, { log, onRefresh })
}
