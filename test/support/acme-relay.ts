/** Our relay with ACME certificates, in this process. */

import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import {
  type AcmeTlsListenersOptions,
  createAcmeTlsListeners,
  type TlsListeners,
} from '../../src/daemon/tls-listeners.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { type Log, type LogFields, silentLog } from '../../src/lib/log.ts'
import { createRelay, type Relay } from '../../src/relay.ts'
import type { CertificateStatus } from '../../src/tls/certificate-source.ts'

interface Ports {
  readonly httpPort: number
  readonly tlsPort: number
  /** Default: both. */
  readonly listens?: readonly ('http' | 'tls')[]
}

export type AcmeRelayOptions = Ports &
  Pick<AcmeTlsListenersOptions, 'hostname' | 'directory'> &
  Partial<AcmeTlsListenersOptions>

interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: LogFields
}

export class AcmeRelay implements AsyncDisposable {
  readonly relay: Relay
  readonly listeners: TlsListeners
  readonly lines: LogLine[]
  readonly #options: AcmeRelayOptions

  private constructor(relay: Relay, listeners: TlsListeners, lines: LogLine[], options: AcmeRelayOptions) {
    this.relay = relay
    this.listeners = listeners
    this.lines = lines
    this.#options = options
  }

  /** Listens and places its orders; does not wait for certificates. */
  static async start(options: AcmeRelayOptions): Promise<AcmeRelay> {
    const lines: LogLine[] = []
    const at =
      (level: LogLine['level']) =>
      (message: string, fields: LogFields = {}) =>
        void lines.push({ level, message, fields })
    const log: Log = { ...silentLog, debug: at('info'), info: at('info'), warn: at('warn'), error: at('error') }
    const relay = createRelay({ privateKey: NodePrivateKey.generate() })
    const listeners = await createAcmeTlsListeners({
      mode: 'letsencrypt',
      ipCerts: false,
      ipAddresses: [],
      random: () => 0,
      log,
      ...options,
      publicKey: relay.publicKey,
      routes: relay.routes,
      counters: relay.http,
      acceptTimeoutMs: 10_000,
    })
    const started = new AcmeRelay(relay, listeners, lines, options)
    for (const kind of options.listens ?? (['http', 'tls'] as const)) await started.listen(kind)
    await listeners.certificates.start()
    return started
  }

  async listen(kind: 'http' | 'tls'): Promise<void> {
    const { httpPort, tlsPort } = this.#options
    if (kind === 'http') await this.listeners.port80.listen(httpPort, '127.0.0.1')
    else await this.listeners.https.listen(tlsPort, '127.0.0.1')
  }

  /** The relay's first certificate, or that at `index`. */
  status(index = 0): CertificateStatus {
    return this.listeners.certificates.status()[index] as CertificateStatus
  }

  linesOf(message: string): LogFields[] {
    return this.lines.filter(line => line.message === message).map(({ fields }) => fields)
  }

  /** Log messages about certificates. */
  messages(): string[] {
    return this.lines.filter(({ level }) => level !== 'debug').map(({ message }) => message)
  }

  /** A TLS connection; rejects when the handshake fails. */
  dial(options: ConnectionOptions): Promise<TLSSocket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.#options.tlsPort, host: '127.0.0.1', ...options }, () => resolve(socket))
      socket.on('error', reject)
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { certificates, https, port80 } = this.listeners
    await certificates.close()
    this.relay.close()
    await Promise.all([https.close(), port80.close()])
  }
}
