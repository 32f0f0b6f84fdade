/** Errors of the STUN client and server. */

import { DerpError } from '../lib/derp-error.ts'

/** Codes of {@link StunError}. */
export type StunErrorCode =
  /** No response in time. */
  | 'ERR_DERP_STUN_TIMEOUT'
  /** The host has no address, or the network rejected the packets. */
  | 'ERR_DERP_STUN_UNREACHABLE'
  /** A response could not be sent fast enough and was dropped. */
  | 'ERR_DERP_STUN_BACKLOG'
  /** The server had been closed. */
  | 'ERR_DERP_STUN_CLOSED'

/**
 * An error of the STUN client or server; distinguish by `code`.
 *
 * @example
 * ```ts
 * await stunBinding({ host: 'relay.example' }).catch(error => {
 *   if (error instanceof StunError) console.log(error.code)
 * })
 * ```
 */
export class StunError extends DerpError {
  /** What happened; tell errors apart by it. */
  declare readonly code: StunErrorCode

  /** @internal */
  constructor(code: StunErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(code, message, options)
  }
}
