/** What an authority says of one certificate. */

export interface Statement {
  /** Undefined for a certificate that is not revoked. */
  readonly revoked: { readonly atMs: number; readonly reason: string } | undefined
  /** Undefined if the authority does not say. */
  readonly nextUpdateMs: number | undefined
}
