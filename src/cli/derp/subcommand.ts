/** What every subcommand of `derp` is made with. */

import type { Command } from 'commander'
import type { CommandIo } from '../command-io.ts'

export interface SubcommandContext {
  readonly io: CommandIo
  /** Notes the exit code of the command; 0 without it. */
  readonly done: (code: number) => void
}

/** Adds a subcommand to a command. */
export type AddSubcommand = (parent: Command, context: SubcommandContext) => void
