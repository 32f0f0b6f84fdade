/** The `derp` command: tools for DERP relays. */

import { Command, CommanderError } from 'commander'
import { type CommandIo, processIo } from '../command-io.ts'
import { EXIT_OK, EXIT_USAGE, runCommand } from '../exit.ts'
import { versionLine } from '../version.ts'
import { addBenchWorker } from './bench/bench-worker.ts'
import { addBench } from './bench.ts'
import { addCat } from './cat.ts'
import { addClients } from './clients.ts'
import { addDoctor } from './doctor.ts'
import { addKey } from './key.ts'
import { addMap } from './map.ts'
import { addNetcheck } from './netcheck.ts'
import type { SubcommandContext } from './subcommand.ts'

/** In the order of the help text. */
const SUBCOMMANDS = [addDoctor, addNetcheck, addMap, addCat, addBench, addClients, addBenchWorker, addKey] as const

/** Runs the command; resolves to the exit code. */
export function main(args: readonly string[], io: CommandIo = processIo()): Promise<number> {
  const run = async () => {
    let code = EXIT_OK
    const program = createProgram({
      io,
      done: result => {
        code = result
      },
    })
    try {
      await program.parseAsync(args.map(longOption), { from: 'user' })
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error
      return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE
    }
    return code
  }
  return runCommand('derp', run, io.err)
}

/** As `derper` spells them. */
function longOption(arg: string): string {
  return arg === '-help' || arg === '-version' ? `-${arg}` : arg
}

/** All subcommands; runs none. */
export function createProgram(context: SubcommandContext): Command {
  const { out, err, columns } = context.io
  const program = new Command('derp')
    .description('tools for DERP relays')
    .version(versionLine())
    .exitOverride()
    .configureOutput({
      writeOut: text => void out(text),
      writeErr: err,
      getOutHelpWidth: () => columns ?? 100,
      getErrHelpWidth: () => columns ?? 100,
    })
  for (const add of SUBCOMMANDS) add(program, context)
  // After the subcommands, which would inherit it.
  program.showHelpAfterError('(derp --help lists the commands)')
  return program
}
