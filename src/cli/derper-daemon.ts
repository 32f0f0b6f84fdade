/** A running `derper`: relay, listeners and STUN, started and stopped together. */

import { readFileSync } from 'node:fs'
import { createHttpListener, type HttpListener } from '../http/listeners.ts'
import { createManualTlsListeners } from '../http/tls-listeners.ts'
import type { NodePrivateKey } from '../keys/node-key.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { Log } from '../lib/log.ts'
import { createRelay, type Relay } from '../relay.ts'
import { DEFAULTS } from '../server/options.ts'
import { createStunServer, type StunServer } from '../stun/server.ts'
import { type DerperSettings, readRateConfig, type TlsSettings } from './derper-settings.ts'
import { formatListenAddress } from './listen-address.ts'
import { packageVersion } from './version.ts'

export class DerperDaemon {
  readonly relay: Relay
  readonly #settings: DerperSettings
  readonly #log: Log
  readonly #stun: StunServer | undefined
  readonly #listeners: HttpListener[] = []
  /** Ports that were bound. */
  port = 0
  httpPort: number | undefined
  stunPort: number | undefined

  constructor(settings: DerperSettings, privateKey: NodePrivateKey, log: Log, env: NodeJS.ProcessEnv) {
    this.#settings = settings
    this.#log = log
    const { address, stunPort } = settings
    this.#stun =
      stunPort === undefined
        ? undefined
        : createStunServer({
            ...(address.host !== undefined && { host: address.host }),
            port: stunPort,
            // Anybody can provoke these by a forged source; they are counted.
            onError: (error, action) => log.debug('STUN exchange failed', { action, reason: error.message }),
          })
    this.relay = createRelay({
      ...settings,
      privateKey,
      log,
      debug: debugOptions(settings, env),
      program: this.#program(),
    })
  }

  /** Binds everything. @throws DerpError naming the flag whose address cannot be had. */
  async start(): Promise<void> {
    const { address, tls } = this.#settings
    const main = tls === undefined ? createHttpListener(this.#listenerOptions()) : await this.#tlsListeners(tls)
    this.port = await this.#listen(main, 'a', address.port)
    if (this.#stun !== undefined) {
      const stun = this.#stun
      this.stunPort = (await bind('stun-port', String(this.#settings.stunPort), () => stun.listen())).port
    }
  }

  /** Reads again what may change while running; a bad file is logged and changes nothing. */
  reload(): void {
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
      tls: this.#settings.tls !== undefined,
      version: packageVersion(),
      commandLine: process.argv,
    }
  }
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
