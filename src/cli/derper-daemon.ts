/** A running `derper`: relay, listeners, STUN, admission and links to siblings, started and stopped together. */

import { readFileSync } from 'node:fs'
import { type BuiltAdmission, createAdmission } from '../admission/create-admission.ts'
import { BootstrapNames } from '../http/bootstrap-names.ts'
import type { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
import { systemClock } from '../lib/clock.ts'
import type { Log } from '../lib/log.ts'
import { Mesh } from '../mesh/mesh.ts'
import { AdmissionCounters } from '../metrics/admission-counters.ts'
import { createRelay, type Relay } from '../relay.ts'
import { STUN_PORT } from '../stun/constants.ts'
import { createStunServer, type StunServer } from '../stun/server.ts'
import type { CertificateSource } from '../tls/certificate-source.ts'
import type { MapNode, MapNodePorts } from '../tls/map-node.ts'
import { bind, type WantedPort } from './bind.ts'
import type { DerperSettings } from './derper-settings.ts'
import { stunOptions, wantedStunPort } from './derper-stun.ts'
import { RelayListeners, wantedTcpPorts } from './relay-listeners.ts'
import { readRateConfig } from './settings/rate-settings.ts'
import { packageVersion } from './version.ts'

/** All ports that `settings` ask for. */
export function wantedPorts(settings: DerperSettings): WantedPort[] {
  const stun = wantedStunPort(settings)
  return [...wantedTcpPorts(settings), ...(stun === undefined ? [] : [stun])]
}

export class DerperDaemon {
  readonly relay: Relay
  readonly #settings: DerperSettings
  readonly #log: Log
  readonly #stun: StunServer | undefined
  readonly #admission: BuiltAdmission | undefined
  readonly #mesh: Mesh | undefined
  readonly #names: { readonly published: BootstrapNames | undefined; readonly unpublished: BootstrapNames | undefined }
  #listeners: RelayListeners | undefined
  /** The UDP port that was bound. */
  stunPort: number | undefined

  /** Binds nothing, asks nobody. @throws DerpError naming the setting that is no good. */
  constructor(settings: DerperSettings, privateKey: NodePrivateKey, log: Log, env: NodeJS.ProcessEnv) {
    this.#settings = settings
    this.#log = log
    const counters = new AdmissionCounters()
    const revoke = (key: NodePublicKey) => this.relay.core.directory.closePeer(key)
    this.#admission = createAdmission(settings.admission, { clock: systemClock, log, counters }, revoke)
    this.#names = {
      published: bootstrapNames(settings.publishedNames, log),
      unpublished: bootstrapNames(settings.unpublishedNames, log),
    }
    const stun = stunOptions(settings, log)
    this.#stun = stun && createStunServer(stun)
    this.relay = createRelay({
      ...settings,
      privateKey,
      log,
      admission: this.#admission?.gate,
      bootstrapDns: this.#names,
      debug: debugOptions(settings, env),
      program: { ...this.#program(), ...(this.#admission && { admission: counters }) },
    })
    if (settings.siblings !== undefined) this.#mesh = new Mesh(this.relay.core, settings.siblings)
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
    this.#listeners = await RelayListeners.create(this.#settings, { relay: this.relay, log: this.#log, mapNodePorts })
    const [stun, wanted] = [this.#stun, wantedStunPort(this.#settings)]
    if (stun !== undefined && wanted !== undefined) this.stunPort = (await bind(wanted, () => stun.listen())).port
    await this.#listeners.listen()
    this.#names.published?.start()
    this.#names.unpublished?.start()
    this.#mesh?.start()
    for (const note of this.#settings.notes) this.#log.warn(note)
    this.#admission?.start()
  }

  /** Reads again what may change while running; a bad file is logged and changes nothing. */
  reload(): void {
    this.#admission?.reload()
    void this.certificates?.reload()
    const { rateConfigFile } = this.#settings
    if (rateConfigFile === undefined) return
    try {
      const limit = readRateConfig(rateConfigFile)
      this.relay.core.rateLimit = limit
      this.#log.info('rate config applied', { file: rateConfigFile, ...limit })
    } catch (error) {
      this.#log.error('rate config kept', { file: rateConfigFile, reason: (error as Error).message })
    }
  }

  /** Ends all connections and frees all ports. */
  async stop(): Promise<void> {
    this.#admission?.close()
    this.#names.published?.stop()
    this.#names.unpublished?.stop()
    await this.#mesh?.stop()
    this.relay.close()
    await Promise.all([this.#listeners?.close(), this.#stun?.close()])
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
      tls: this.#settings.tls !== undefined,
      version: packageVersion(),
      commandLine: process.argv,
    }
  }
}

function bootstrapNames(text: string, log: Log): BootstrapNames | undefined {
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
