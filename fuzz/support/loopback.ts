/** One exchange with a server on loopback. */

import { connect } from 'node:net'

export interface Exchange {
  /** Everything that the server has sent. */
  readonly received: Buffer
  /** The server has reset the connection. */
  readonly isReset: boolean
}

/** Sends the pieces, each by itself, ends its side and reads until the server has closed. */
export function exchange(port: number, pieces: readonly Uint8Array[]): Promise<Exchange> {
  const { promise, resolve } = Promise.withResolvers<Exchange>()
  const chunks: Buffer[] = []
  let isReset = false
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true })
  const next = (at: number) => {
    const piece = pieces[at]
    if (piece === undefined) socket.end()
    else socket.write(piece, error => !error && setImmediate(next, at + 1))
  }
  socket.on('connect', () => next(0))
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => {
    isReset = true
  })
  socket.on('close', () => resolve({ received: Buffer.concat(chunks), isReset }))
  return promise
}
