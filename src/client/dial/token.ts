/** The bearer token that a client shows to relays that admit by token (P-040). */

/** The token, or a function that is asked for it at each connection; undefined to send none. */
export type TokenSource = string | (() => string | undefined)

export function readToken(source: TokenSource | undefined): string | undefined {
  return typeof source === 'function' ? source() : source
}
