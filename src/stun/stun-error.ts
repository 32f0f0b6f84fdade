/** What can go wrong in a STUN client or server. */

import { DerpError } from '../lib/derp-error.ts'

/** Codes of {@link StunError}. */
export type StunErrorCode =
  /** No answer came in time. */
  | 'ERR_DERP_STUN_TIMEOUT'
  /** The host has no address, or the network refused the packets. */
  | 'ERR_DERP_STUN_UNREACHABLE'
  /** A response could not be sent fast enough and was dropped. */
  | 'ERR_DERP_STUN_BACKLOG'
  /** The server was closed before. */
  | 'ERR_DERP_STUN_CLOSED'

/** What went wrong in a STUN client or server, told apart by `code`. */
export class StunError extends DerpError {
  declare readonly code: StunErrorCode

  constructor(code: StunErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(code, message, options)
  }
}
