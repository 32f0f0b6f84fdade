/** Reads one line from a connection, of bounded length and in bounded time: the other end may be broken. */

import type { Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { MAX_LINE_BYTES } from './control-message.ts'

/** Resolves to the line without its end; nothing more is read. Rejects with a DerpError. */
export function readLine(socket: Socket, clock: Clock, withinMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let [text, bytes] = ['', 0]
    const settle = (act: () => void) => {
      timer.cancel()
      socket.off('data', onData).off('close', onClose)
      // What follows is dropped, so that the end of the connection is seen.
      socket.resume()
      act()
    }
    const fail = (reason: string) =>
      settle(() => reject(new DerpError('ERR_DERP_TAKEOVER_FAILED', `read control message: ${reason}`)))
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      text += chunk.toString('latin1')
      const end = text.indexOf('\n')
      if (end >= 0 && end <= MAX_LINE_BYTES) settle(() => resolve(Buffer.from(text.slice(0, end), 'latin1').toString()))
      else if (bytes > MAX_LINE_BYTES) fail('too long')
    }
    const onClose = () => fail('the connection has ended')
    const timer = clock.after(withinMs, () => fail('none came in time'))
    socket.on('data', onData).on('close', onClose)
  })
}
