/** Profiling and garbage collection of a JavaScript runtime. */

/** `cpu` samples running code; `heap` samples allocations that are still live at the end. */
export type ProfileKind = 'cpu' | 'heap'

/** Profiles until `end` resolves; resolves to the profile, ready for JSON. */
export type MakeProfile = (end: Promise<unknown>) => Promise<object>

export interface Engine {
  /** Undefined for an unsupported kind. */
  readonly profiles: Readonly<Record<ProfileKind, MakeProfile | undefined>>
  /** Runs a full collection; the thread is paused meanwhile. */
  collectGarbage(): Promise<void>
}
