/** An HTTP proxy on loopback that opens CONNECT tunnels to loopback ports, for any host. */

import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { type ListeningServer, listenOnLoopback } from './socket-server.ts'

export interface ConnectProxyOptions {
  /** Required `user:password`. */
  readonly credentials?: string
  /** For a proxy over TLS. */
  readonly certificate?: CertificatePair
  /** Responds instead of opening a tunnel. */
  readonly answer?: (socket: Duplex) => void
}

export interface ConnectProxy extends ListeningServer {
  /** Requested targets, such as `relay.test:443`. */
  readonly targets: string[]
}

export async function startConnectProxy(options: ConnectProxyOptions = {}): Promise<ConnectProxy> {
  const { certificate } = options
  const server = certificate
    ? createHttpsServer({ cert: certificate.certificate, key: certificate.key })
    : createServer()
  const targets: string[] = []
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // These sockets stay half open, and an unread socket never emits its end.
    socket.on('error', () => {}).on('end', () => socket.end())
    socket.resume()
    targets.push(request.url ?? '')
    if (options.answer !== undefined) options.answer(socket)
    else if (!isAllowed(request, options.credentials))
      socket.write('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n')
    else openTunnel(request, socket, head)
  })
  return { ...(await listenOnLoopback(server)), targets }
}

function isAllowed(request: IncomingMessage, credentials: string | undefined): boolean {
  if (credentials === undefined) return true
  return request.headers['proxy-authorization'] === `Basic ${Buffer.from(credentials).toString('base64')}`
}

function openTunnel(request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const port = Number(/:(\d+)$/.exec(request.url ?? '')?.[1])
  const relay = connect(port, '127.0.0.1')
  relay.once('connect', () => {
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    relay.write(head)
    relay.pipe(socket)
    socket.pipe(relay)
  })
  relay.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
  socket.on('close', () => relay.destroy())
}
