/** Our complete relay with a listener on loopback, in this process. */

import type { Socket } from 'node:net'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { type Log, silentLog } from '../../src/lib/log.ts'
import { type AcceptLimitOptions, AcceptLimits } from '../../src/listen/accept-limits.ts'
import { type HttpRequest, type HttpService, isUpgrade } from '../../src/listen/http-service.ts'
import { createHttpListener, type HttpListener, type HttpListenerOptions } from '../../src/listen/node/http-listener.ts'
import { createHttpsListener, type HttpsListenerOptions } from '../../src/listen/node/https-listener.ts'
import { ProxyGate } from '../../src/listen/node/proxy-gate.ts'
import { createRelay, type Relay, type RelayOptions } from '../../src/relay.ts'
import { createMetaCertificate } from '../../src/tls/meta-cert.ts'
import { RelayTls, type RelayTlsOptions } from '../../src/tls/relay-tls.ts'

type ServedTls = Pick<RelayTlsOptions, 'hostname' | 'certificate' | 'ticketKeys'>

export interface ListeningRelayOptions extends Partial<RelayOptions> {
  readonly clock?: Clock
  readonly log?: Log
  /** For TLS: host name and certificate. */
  readonly tls?: ServedTls
  readonly acceptTimeoutMs?: number
  /** Whether `trustedProxies` must send PROXY headers. */
  readonly sendProxyHeaders?: boolean
  readonly onAcceptTimeout?: (socket: Socket) => void
  /** Called for each upgraded request. */
  readonly onUpgrade?: (request: HttpRequest) => void
  readonly limits?: AcceptLimitOptions
  readonly listener?: Pick<HttpListenerOptions, 'idleTimeoutMs' | 'maxHeaderBytes' | 'tcpKeepAliveMs'> &
    Pick<HttpsListenerOptions, 'tlsRecordBytes'>
}

export class ListeningRelay implements AsyncDisposable {
  readonly relay: Relay
  readonly listener: HttpListener
  readonly port: number
  readonly tls: RelayTls | undefined
  readonly limits: AcceptLimits | undefined

  private constructor(
    parts: { relay: Relay; listener: HttpListener; tls: RelayTls | undefined; limits: AcceptLimits | undefined },
    port: number,
  ) {
    this.relay = parts.relay
    this.listener = parts.listener
    this.tls = parts.tls
    this.limits = parts.limits
    this.port = port
  }

  static async start(options: ListeningRelayOptions = {}): Promise<ListeningRelay> {
    const { log, onAcceptTimeout, clock = systemClock, trustedProxies, sendProxyHeaders: sendHeaders = false } = options
    const limits = options.limits && new AcceptLimits(options.limits, clock, log ?? silentLog)
    const program = { ...options.program, tls: options.tls !== undefined, connections: limits?.counters }
    const relay = createRelay({ privateKey: NodePrivateKey.generate(), ...options, program })
    const tls = options.tls && (await relayTls(relay, options.tls))
    const routes: HttpService = {
      answer: request => {
        const answer = relay.routes.answer(request)
        if (isUpgrade(answer)) options.onUpgrade?.(request)
        return answer
      },
    }
    const common = {
      ...options.listener,
      routes,
      clock,
      acceptTimeoutMs: options.acceptTimeoutMs ?? 10_000,
      ...(log !== undefined && { log }),
      ...(limits !== undefined && { limits }),
      proxyGate:
        trustedProxies && new ProxyGate({ trustedProxies, sendHeaders, counters: relay.http, log: log ?? silentLog }),
      ...(onAcceptTimeout !== undefined && { onAcceptTimeout }),
    }
    const listener = tls ? createHttpsListener({ ...common, tls, counters: relay.http }) : createHttpListener(common)
    const { port } = await listener.listen(0, '127.0.0.1')
    return new ListeningRelay({ relay, listener, tls, limits }, port)
  }

  /** Resolves once so many connections are open. */
  accepted(count: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () =>
        this.listener.server.getConnections((error, open) => {
          if (error) reject(error)
          else if (open === count) resolve()
          else setImmediate(look)
        })
      look()
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.relay.close()
    await this.listener.close()
  }
}

async function relayTls(relay: Relay, tls: ServedTls): Promise<RelayTls> {
  return new RelayTls({ ...tls, metaCertificate: await createMetaCertificate(relay.publicKey) })
}
