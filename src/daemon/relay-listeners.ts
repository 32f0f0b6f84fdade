/** The daemon's TCP listeners: HTTP, or HTTPS with plain HTTP beside it. */

import { createHttpListener, type HttpListener } from '../listen/node/http-listener.ts'
import type { Relay } from '../relay.ts'
import type { CertificateSource } from '../tls/certificate-source.ts'
import type { ReadMapNodePorts } from '../tls/map-node.ts'
import { bind, type WantedPort } from './bind.ts'
import { type ListenerParts, listenerOptions } from './listener-options.ts'
import type { DaemonSettings, TlsSettings } from './settings.ts'
import { createAcmeTlsListeners, createManualTlsListeners } from './tls-listeners.ts'

interface Listeners {
  readonly main: HttpListener
  /** Plain HTTP beside TLS. */
  readonly port80?: HttpListener
  readonly certificates?: CertificateSource
}

interface RelayListenerParts extends ListenerParts {
  readonly relay: Relay
  readonly mapNodePorts: ReadMapNodePorts
}

/** The TCP ports to bind. */
export function wantedTcpPorts({ listen: { address }, tls }: Pick<DaemonSettings, 'listen' | 'tls'>): WantedPort[] {
  const main: WantedPort = { ...address, flag: 'a', protocol: 'tcp' }
  if (tls?.httpPort === undefined) return [main]
  return [main, { host: address.host, port: tls.httpPort, flag: 'http-port', protocol: 'tcp' }]
}

export class RelayListeners {
  readonly #listeners: Listeners
  readonly #settings: DaemonSettings
  /** Bound ports. */
  port = 0
  httpPort: number | undefined

  private constructor(settings: DaemonSettings, listeners: Listeners) {
    this.#settings = settings
    this.#listeners = listeners
  }

  /** Binds nothing. @throws DerpError for an unusable certificate, with file, reason and remedy. */
  static async create(settings: DaemonSettings, parts: RelayListenerParts): Promise<RelayListeners> {
    const { tls } = settings
    const listeners =
      tls === undefined
        ? { main: createHttpListener(listenerOptions(settings.listen, parts)) }
        : await overTls(settings, tls, parts)
    return new RelayListeners(settings, listeners)
  }

  /** Undefined without TLS. */
  get certificates(): CertificateSource | undefined {
    return this.#listeners.certificates
  }

  /** Whether it accepts connections. */
  get isListening(): boolean {
    return this.#listeners.main.server.listening
  }

  /** @throws DerpError naming the flag whose port cannot be bound. */
  async listen(): Promise<void> {
    const [main, http] = wantedTcpPorts(this.#settings)
    const reusePort = this.#settings.upgrade !== undefined
    const listen = (wanted: WantedPort, listener: HttpListener) =>
      bind(wanted, () => listener.listen(wanted.port, wanted.host, { reusePort }))
    if (main !== undefined) this.port = (await listen(main, this.#listeners.main)).port
    const { port80 } = this.#listeners
    if (http !== undefined && port80 !== undefined) this.httpPort = (await listen(http, port80)).port
  }

  /** Starts renewing certificates; both ports must be bound. */
  async start(): Promise<void> {
    await this.certificates?.start()
  }

  /** Stops accepting; open connections stay. */
  stopListening(): void {
    this.#listeners.main.stopListening()
    this.#listeners.port80?.stopListening()
  }

  async close(): Promise<void> {
    const { main, port80, certificates } = this.#listeners
    await Promise.all([certificates?.close(), main.close(), port80?.close()])
  }
}

async function overTls(settings: DaemonSettings, tls: TlsSettings, parts: RelayListenerParts): Promise<Listeners> {
  const { relay, log, mapNodePorts } = parts
  const { hostname, directory, acme } = tls
  const common = {
    ...listenerOptions(settings.listen, parts),
    publicKey: relay.publicKey,
    clock: relay.core.options.clock,
    counters: relay.http,
    log,
    mapNodePorts,
  }
  if (acme !== undefined) {
    const { https, port80, certificates } = await createAcmeTlsListeners({ ...common, ...acme })
    return { main: https, port80, certificates }
  }
  const { https, port80, certificates } = await createManualTlsListeners({ ...common, hostname, directory })
  return { main: https, port80, certificates }
}
