/** The first bytes of TLS clients, for attacks that go no further. */

import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect } from 'node:tls'

/** The bytes of a ClientHello for `options`, as a whole record. */
export async function clientHello(options: ConnectionOptions): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>()
  const carrier = new Duplex({ read() {}, write: (chunk: Buffer) => resolve(chunk) })
  const socket = connect({ ...options, socket: carrier })
  socket.on('error', () => {})
  const hello = await promise
  socket.destroy()
  return hello
}

/** A TLS record of type `type` that says to be of TLS 1.2. */
export function tlsRecord(type: number, body: Uint8Array): Buffer {
  const header = Buffer.of(type, 3, 3, 0, 0)
  header.writeUInt16BE(body.length, 3)
  return Buffer.concat([header, body])
}
