/** Context of every subcommand of `derp`. */

import type { Command } from 'commander'
import type { CommandIo } from '../command-io.ts'

export interface SubcommandContext {
  readonly io: CommandIo
  /** Sets the exit code; 0 if not called. */
  readonly done: (code: number) => void
}

export type AddSubcommand = (parent: Command, context: SubcommandContext) => void
