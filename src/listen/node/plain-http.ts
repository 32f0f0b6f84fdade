/** Answers plain HTTP on the TLS port with a hint to use HTTPS: a closed connection would explain nothing (P-142). */

import type { Socket } from 'node:net'

/** Looks at the first byte and puts it back. */
export type LookForPlainHttp = (socket: Socket, done: (isPlainHttp: boolean) => void) => void

/** What a runtime can do. */
export interface PlainHttp {
  /** Undefined where a failed handshake is enough. */
  readonly look: LookForPlainHttp | undefined
  /** Whether the socket of a failed handshake can still be written to. */
  readonly canReplyLate: boolean
}

const TEXT = 'This port speaks HTTPS: use an https:// URL.\n'

export const PLAIN_HTTP_REPLY: string = [
  'HTTP/1.1 400 Bad Request',
  'Content-Type: text/plain; charset=utf-8',
  `Content-Length: ${TEXT.length}`,
  'Connection: close',
  '',
  TEXT,
].join('\r\n')
