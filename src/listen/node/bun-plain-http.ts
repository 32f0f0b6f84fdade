/** Bun has closed the socket when it reports a failed handshake, so the first byte is looked at before. */

import type { Socket } from 'node:net'
import type { PlainHttp } from './plain-http.ts'

/** Methods begin with a capital letter, TLS records with a small number. */
const [LETTER_A, LETTER_Z] = [0x41, 0x5a]

export const bunPlainHttp: PlainHttp = { look, canReplyLate: false }

function look(socket: Socket, done: (isPlainHttp: boolean) => void): void {
  const onEnd = () => socket.destroy()
  const onReadable = () => {
    const chunk: Buffer | null = socket.read()
    const [first] = chunk ?? []
    if (chunk === null || first === undefined) return
    socket.off('readable', onReadable).off('end', onEnd)
    socket.unshift(chunk)
    done(first >= LETTER_A && first <= LETTER_Z)
  }
  socket.on('readable', onReadable).on('end', onEnd)
}
