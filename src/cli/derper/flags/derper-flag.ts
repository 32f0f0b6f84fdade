/** Metadata of a `derper` flag; help text, docs and checks are generated from it. */

import type { FlagSpec } from '../../go-flags.ts'

/** Where the flag comes from: the original's v1.84.1, one of its newer releases, or us. */
export type FlagOrigin = 'original' | 'newer' | 'ours'

export interface DerperFlag extends FlagSpec {
  readonly origin: FlagOrigin
  /** Reloaded from the configuration file on SIGHUP; otherwise only at start. */
  readonly live?: boolean
  /** The test file below `test/` that covers it. */
  readonly test: string
}

/** Flags of one topic, by name. */
export type DerperFlags = Readonly<Record<string, DerperFlag>>

/** A topic of the help text. */
export interface FlagSection {
  readonly title: string
  readonly flags: DerperFlags
}
