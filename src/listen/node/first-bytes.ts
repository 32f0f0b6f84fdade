/** Reads the beginning of a connection, before it is known what serves it. */

import type { Readable } from 'node:stream'

/**
 * Reads until `judge` returns something, then reads no further. A connection that ends before is destroyed. Time limits are
 * up to the caller, and `judge` bounds how much is read.
 *
 * @param judge gets all bytes so far; undefined if it needs more.
 * @param done the caller puts back what others are to read, with `unshift`.
 */
export function readFirstBytes<T>(
  socket: Readable,
  judge: (bytes: Buffer) => T | undefined,
  done: (verdict: T, bytes: Buffer) => void,
): void {
  let bytes: Buffer = Buffer.alloc(0)
  const onEnd = () => socket.destroy()
  const onReadable = () => {
    const chunk: Buffer | null = socket.read()
    if (chunk === null) return
    bytes = Buffer.concat([bytes, chunk])
    const verdict = judge(bytes)
    if (verdict === undefined) return
    socket.off('readable', onReadable).off('end', onEnd)
    done(verdict, bytes)
  }
  socket.on('readable', onReadable).on('end', onEnd)
}
