/** The `derp` command: tools around relays. */

import { Command, CommanderError } from 'commander'
import { NodePrivateKey } from '../../keys/node-key.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { EXIT_OK, EXIT_USAGE, runCommand } from '../exit.ts'
import { loadKeyFile, parseKeyFile } from '../key-file.ts'
import { packageVersion } from '../version.ts'
import { cat } from './derp-cat.ts'

interface CatOptions {
  readonly to?: string
  readonly keyFile?: string
}

/** Runs the command; resolves to the exit code. */
export function main(args: readonly string[]): Promise<number> {
  return runCommand('derp', async () => {
    let code = EXIT_OK
    const program = createProgram(result => {
      code = result
    })
    try {
      await program.parseAsync([...args], { from: 'user' })
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error
      return error.exitCode === 0 ? EXIT_OK : EXIT_USAGE
    }
    return code
  })
}

function createProgram(done: (code: number) => void): Command {
  const program = new Command('derp').description('tools for DERP relays').version(packageVersion()).exitOverride()
  program
    .command('cat')
    .description('prints its key and what arrives; with --to, sends standard input')
    .argument('<url>', 'the relay, such as http://127.0.0.1:3340/derp')
    .option('--to <nodekey>', 'send standard input to this peer and end')
    .option('--key-file <file>', 'key to use, made if missing; without it a fresh one')
    .action(async (url: string, { to, keyFile }: CatOptions) => {
      const key = keyFile === undefined ? NodePrivateKey.generate() : (await loadKeyFile(keyFile)).key
      done(await cat({ url, to, key }))
    })
  program
    .command('key')
    .description('prints a fresh private key in the form of a key file, or the public key of a file')
    .argument('[file]', 'a key file, as derper -c takes it')
    .action((file: string | undefined) => void process.stdout.write(`${keyText(file)}\n`))
  return program
}

function keyText(file: string | undefined): string {
  if (file === undefined) return JSON.stringify({ PrivateKey: NodePrivateKey.generate().exportText() })
  const key = parseKeyFile(file)
  if (key === undefined) throw new DerpError('ERR_DERP_CONFIG_INVALID', `read key file ${file}: no such file`)
  return key.publicKey().toString()
}
