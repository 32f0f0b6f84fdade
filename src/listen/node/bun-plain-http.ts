/** Bun has closed the socket when it reports a failed handshake, so the first byte is looked at before. */

import type { Socket } from 'node:net'
import { readFirstBytes } from './first-bytes.ts'
import type { PlainHttp } from './plain-http.ts'

/** Methods begin with a capital letter, TLS records with a small number. */
const [LETTER_A, LETTER_Z] = [0x41, 0x5a]

export const bunPlainHttp: PlainHttp = { look, canReplyLate: false }

function look(socket: Socket, done: (isPlainHttp: boolean) => void): void {
  readFirstBytes(socket, isLetter, (isPlainHttp, bytes) => {
    socket.unshift(bytes)
    done(isPlainHttp)
  })
}

function isLetter([first]: Buffer): boolean | undefined {
  return first === undefined ? undefined : first >= LETTER_A && first <= LETTER_Z
}
