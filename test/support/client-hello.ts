/** First bytes of TLS clients, for attacks that stop there. */

import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'

/** A ClientHello for `options`, as a complete record. */
export async function clientHello(options: ConnectionOptions): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  const carrier = new Duplex({ read() {}, write: (chunk: Buffer) => resolve(chunk) })
  const socket = connect({ ...options, socket: carrier })
  socket.on('error', () => {})
  const hello = await promise
  socket.destroy()
  return hello
}

/** A TLS record of type `type` with version TLS 1.2. */
export function tlsRecord(type: number, body: Uint8Array): Buffer {
  const header = Buffer.of(type, 3, 3, 0, 0)
  header.writeUInt16BE(body.length, 3)
  return Buffer.concat([header, body])
}
