/** Servers on free loopback ports, closed with all connections at the end of a test. */

import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { nodeAgreement } from '../../src/keys/node-box.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { RelayCore } from '../../src/server/relay-core.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { TLS_CERT, TLS_KEY } from './tls-fixture.ts'

/** A listening server. */
export interface ListeningServer extends AsyncDisposable {
  readonly port: number
  /** Open connections. */
  readonly sockets: ReadonlySet<Socket>
}

/** Starts `server` on a loopback port, by default a free one. */
export async function listenOnLoopback(server: Server, port = 0): Promise<ListeningServer> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** A TCP server scripted by the test. */
export function startTcpServer(onSocket: (socket: Socket) => void, port = 0): Promise<ListeningServer> {
  return listenOnLoopback(createServer(onSocket), port)
}

/** A relay over HTTP, or over HTTPS with the certificate of tls-fixture.ts. */
export async function startHttpRelay(
  scheme: 'http' | 'https' = 'http',
  port = 0,
): Promise<ListeningServer & { readonly url: string; readonly core: RelayCore }> {
  const { server, core } = createHttpRelay(scheme)
  const listening = await listenOnLoopback(server, port)
  return {
    ...listening,
    core,
    url: `${scheme}://127.0.0.1:${listening.port}/derp`,
    async [Symbol.asyncDispose]() {
      core.close()
      await listening[Symbol.asyncDispose]()
    },
  }
}

/** The same without listening: pass connections as `connection` events. */
export function createHttpRelay(scheme: 'http' | 'https' = 'http'): { server: Server; core: RelayCore } {
  const core = new RelayCore({ privateKey: NodePrivateKey.generate(), agreement: nodeAgreement })
  const server = scheme === 'http' ? createHttpServer() : createHttpsServer({ key: TLS_KEY, cert: TLS_CERT })
  server.on('upgrade', (_request, socket, head) => {
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n')
    core.accept(new NodeConn(socket as Socket, head))
  })
  return { server, core }
}
