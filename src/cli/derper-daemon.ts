/** A running `derper`: relay, listeners, STUN, admission and links to siblings, started and stopped together. */

import { readFileSync } from 'node:fs'
import { type BuiltAdmission, createAdmission } from '../admission/create-admission.ts'
import { BootstrapNames } from '../http/bootstrap-names.ts'
import { createHttpListener, type HttpListener } from '../http/listeners.ts'
import { createManualTlsListeners } from '../http/tls-listeners.ts'
import type { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
import { systemClock } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { Log } from '../lib/log.ts'
import { Mesh } from '../mesh/mesh.ts'
import { AdmissionCounters } from '../metrics/admission-counters.ts'
import { createRelay, type Relay } from '../relay.ts'
import { DEFAULTS } from '../server/options.ts'
import { createStunServer, type StunServer } from '../stun/server.ts'
import type { DerperSettings } from './derper-settings.ts'
import { formatListenAddress } from './listen-address.ts'
import { readRateConfig } from './settings/rate-settings.ts'
import type { TlsSettings } from './settings/tls-settings.ts'
import { packageVersion } from './version.ts'

export class DerperDaemon {
  readonly relay: Relay
  readonly #settings: DerperSettings
  readonly #log: Log
  readonly #stun: StunServer | undefined
  readonly #listeners: HttpListener[] = []
  readonly #admission: BuiltAdmission | undefined
  readonly #mesh: Mesh | undefined
  readonly #names: { readonly published: BootstrapNames | undefined; readonly unpublished: BootstrapNames | undefined }
  /** Ports that were bound. */
  port = 0
  httpPort: number | undefined
  stunPort: number | undefined

  constructor(settings: DerperSettings, privateKey: NodePrivateKey, log: Log, env: NodeJS.ProcessEnv) {
    this.#settings = settings
    this.#log = log
    const { address, stun, siblings } = settings
    const counters = new AdmissionCounters()
    const revoke = (key: NodePublicKey) => this.relay.core.directory.closePeer(key)
    this.#admission = createAdmission(settings.admission, { clock: systemClock, log, counters }, revoke)
    this.#names = {
      published: bootstrapNames(settings.publishedNames, log),
      unpublished: bootstrapNames(settings.unpublishedNames, log),
    }
    this.#stun =
      stun === undefined
        ? undefined
        : createStunServer({
            ...(address.host !== undefined && { host: address.host }),
            ...stun,
            // Anybody can provoke these by a forged source; they are counted.
            onError: (error, action) => log.debug('STUN exchange failed', { action, reason: error.message }),
          })
    this.relay = createRelay({
      ...settings,
      privateKey,
      log,
      admission: this.#admission?.gate,
      bootstrapDns: this.#names,
      debug: debugOptions(settings, env),
      program: { ...this.#program(), ...(this.#admission && { admission: counters }) },
    })
    if (siblings !== undefined) this.#mesh = new Mesh(this.relay.core, siblings)
  }

  /** Binds everything. @throws DerpError naming the flag whose address cannot be had. */
  async start(): Promise<void> {
    const { address, tls } = this.#settings
    const main = tls === undefined ? createHttpListener(this.#listenerOptions()) : await this.#tlsListeners(tls)
    this.port = await this.#listen(main, 'a', address.port)
    if (this.#stun !== undefined) {
      const stun = this.#stun
      this.stunPort = (await bind('stun-port', String(this.#settings.stun?.port), () => stun.listen())).port
    }
    this.#names.published?.start()
    this.#names.unpublished?.start()
    this.#mesh?.start()
    // So that the log tells what keeps all out before the first client comes.
    void this.#admission?.problems()
  }

  /** Reads again what may change while running; a bad file is logged and changes nothing. */
  reload(): void {
    this.#admission?.reload()
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
    await Promise.all([...this.#listeners.map(listener => listener.close()), this.#stun?.close()])
  }

  async #tlsListeners(tls: TlsSettings): Promise<HttpListener> {
    const { https, port80 } = await createManualTlsListeners({
      ...this.#listenerOptions(),
      ...tls,
      publicKey: this.relay.publicKey,
      clock: this.relay.core.options.clock,
      counters: this.relay.http,
      log: this.#log,
    })
    if (tls.httpPort !== undefined) this.httpPort = await this.#listen(port80, 'http-port', tls.httpPort)
    return https
  }

  async #listen(listener: HttpListener, flag: string, port: number): Promise<number> {
    const { host } = this.#settings.address
    const bound = await bind(flag, formatListenAddress({ host, port }), () => listener.listen(port, host))
    this.#listeners.push(listener)
    return bound.port
  }

  #listenerOptions() {
    const { relay } = this
    return {
      routes: relay.routes,
      upgrade: relay.handleUpgrade,
      acceptTimeoutMs: DEFAULTS.loginTimeoutMs,
      onAcceptTimeout: () =>
        relay.core.noteFailure(new DerpError('ERR_DERP_LOGIN_TIMEOUT', 'wait for request: none came'), undefined),
    }
  }

  #program() {
    return {
      stun: () => this.#stun?.counters,
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

async function bind<T>(flag: string, value: string, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen()
  } catch (error) {
    const reason = (error as Error).message
    throw new DerpError('ERR_DERP_CONFIG_INVALID', `listen on -${flag} ${value}: ${reason}`, { cause: error })
  }
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
