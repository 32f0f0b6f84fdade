/** For tests that run inside Bun themselves, `bun vitest …`, where client and server are Bun's. */

import { RUNTIME } from '../../src/lib/runtime.ts'

export const IN_BUN: boolean = RUNTIME.name === 'bun'

/** The alert to a client that asks for a name without a certificate, as its own TLS library words it. */
export const NO_CERTIFICATE_ALERT: RegExp = IN_BUN ? /ALERT_INTERNAL_ERROR/ : /alert handshake failure/i
