/** A whole relay of ours behind a listener on loopback, in this process. */

import type { Socket } from 'node:net'
import { createHttpsListener } from '../../src/http/https-listener.ts'
import { createHttpListener, type HttpListener } from '../../src/http/listeners.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import type { Log } from '../../src/lib/log.ts'
import { createRelay, type Relay, type RelayOptions } from '../../src/relay.ts'
import { createMetaCertificate } from '../../src/tls/meta-cert.ts'
import { RelayTls } from '../../src/tls/tls-options.ts'
import type { CertificatePair } from '../../src/tls/x509.ts'

export interface ListeningRelayOptions extends Partial<RelayOptions> {
  readonly clock?: Clock
  readonly log?: Log
  /** Serve TLS: as whom, and with which certificate. */
  readonly tls?: { readonly hostname: string; readonly certificate: CertificatePair }
  readonly acceptTimeoutMs?: number
  readonly onAcceptTimeout?: (socket: Socket) => void
}

export class ListeningRelay implements AsyncDisposable {
  readonly relay: Relay
  readonly listener: HttpListener
  readonly port: number
  readonly tls: RelayTls | undefined

  private constructor(relay: Relay, listener: HttpListener, port: number, tls: RelayTls | undefined) {
    this.relay = relay
    this.listener = listener
    this.port = port
    this.tls = tls
  }

  static async start(options: ListeningRelayOptions = {}): Promise<ListeningRelay> {
    const relay = createRelay({ privateKey: NodePrivateKey.generate(), ...options })
    const tls = options.tls && (await relayTls(relay, options.tls))
    const { log, onAcceptTimeout } = options
    const common = {
      routes: relay.routes,
      upgrade: relay.handleUpgrade,
      clock: options.clock ?? systemClock,
      acceptTimeoutMs: options.acceptTimeoutMs ?? 10_000,
      ...(log !== undefined && { log }),
      ...(onAcceptTimeout !== undefined && { onAcceptTimeout }),
    }
    const listener = tls ? createHttpsListener({ ...common, tls, counters: relay.http }) : createHttpListener(common)
    const { port } = await listener.listen(0, '127.0.0.1')
    return new ListeningRelay(relay, listener, port, tls)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.relay.close()
    await this.listener.close()
  }
}

async function relayTls(relay: Relay, tls: { hostname: string; certificate: CertificatePair }): Promise<RelayTls> {
  return new RelayTls({ ...tls, metaCertificate: await createMetaCertificate(relay.publicKey) })
}
