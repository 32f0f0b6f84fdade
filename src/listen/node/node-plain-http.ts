/** Node reports a failed handshake before it closes the socket. */

import type { PlainHttp } from './plain-http.ts'

export const nodePlainHttp: PlainHttp = { look: undefined, canReplyLate: true }
