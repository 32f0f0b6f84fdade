/** The `derpprobe` command, which measures the relays of a DERP map. */

import { DerpError } from '../../lib/derp-error.ts'
import { EXIT_OK, runCommand } from '../exit.ts'
import { parseFlags } from '../go-flags.ts'
import { usage } from '../usage.ts'
import { packageVersion } from '../version.ts'

const FLAGS = { version: { kind: 'bool', default: 'false', help: 'print the version and exit' } } as const

/** Runs the command; resolves to the exit code. */
export function main(args: readonly string[]): Promise<number> {
  return runCommand('derpprobe', async () => {
    const parsed = parseFlags(FLAGS, args)
    if (parsed.help) {
      process.stdout.write(
        usage('derpprobe', 'derpprobe of this release prints its version only; it has no probes.', [
          { title: 'Flags', flags: FLAGS },
        ]),
      )
      return EXIT_OK
    }
    if (parsed.values.version) {
      process.stdout.write(`${packageVersion()}\n`)
      return EXIT_OK
    }
    throw new DerpError('ERR_DERP_CONFIG_INVALID', 'probe relays: this release has no probes; see docs/architecture.md')
  })
}
