/** What a JavaScript runtime has for those who look into a running program. */

/** What a profile is of: where time goes, or who holds the memory that was taken while it ran. */
export type ProfileKind = 'cpu' | 'heap'

/** Profiles until `end` resolves; resolves to the profile, ready for JSON. */
export type MakeProfile = (end: Promise<unknown>) => Promise<object>

/** What a runtime has. */
export interface Engine {
  /** Undefined for a kind that it does not make. */
  readonly profiles: Readonly<Record<ProfileKind, MakeProfile | undefined>>
  /** Collects all garbage there is; everything stands still meanwhile. */
  collectGarbage(): Promise<void>
}
