/** A TCP proxy that sends its own bytes first, such as a PROXY header. */

import { connect, type Socket } from 'node:net'
import { type ListeningServer, startTcpServer } from './socket-server.ts'

export interface HeaderProxyOptions {
  /** Target port on loopback. */
  readonly to: number
  readonly header: Uint8Array | string
  /** Send the header and the client's first bytes one by one instead of in one piece. */
  readonly byBytes?: boolean
}

/** Starts the proxy on a free loopback port. */
export function startHeaderProxy({ to, header, byBytes = false }: HeaderProxyOptions): Promise<ListeningServer> {
  return startTcpServer(client => {
    const relay = connect({ port: to, host: '127.0.0.1', noDelay: true })
    relay.on('error', () => client.destroy()).on('close', () => client.destroy())
    client.on('close', () => relay.destroy())
    client.once('data', (first: Buffer) => {
      client.pause()
      const begin = Buffer.concat([Buffer.from(header as string, 'latin1'), first])
      void writeBegin(relay, begin, byBytes ? 1 : begin.length).then(() => {
        client.pipe(relay)
        relay.pipe(client)
      })
    })
  })
}

async function writeBegin(socket: Socket, begin: Buffer, step: number): Promise<void> {
  for (let at = 0; at < begin.length; at += step) {
    await new Promise<void>(resolve => socket.write(begin.subarray(at, at + step), () => resolve()))
  }
}
