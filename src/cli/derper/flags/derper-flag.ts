/** What is known of a flag of `derper` besides how it is read; help, documents and checks are made from it. */

import type { FlagSpec } from '../../go-flags.ts'

/** Whose flag it is: of the original's v1.84.1, only of its newer releases, or our own. */
export type FlagOrigin = 'original' | 'newer' | 'ours'

export interface DerperFlag extends FlagSpec {
  readonly origin: FlagOrigin
  /** A change in the configuration file is taken on SIGHUP; without it, at the next start. */
  readonly live?: boolean
  /** The file below `test/` that shows what the flag does. */
  readonly test: string
}

/** Flags of one topic, by name. */
export type DerperFlags = Readonly<Record<string, DerperFlag>>

/** A topic of the help text. */
export interface FlagSection {
  readonly title: string
  readonly flags: DerperFlags
}
