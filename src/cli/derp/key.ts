/** `derp key`: generates a private key, or prints the public key of one. */

import { NodePrivateKey } from '../../keys/node-key.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { parseKeyFile } from '../key-file.ts'
import type { AddSubcommand } from './subcommand.ts'

export const addKey: AddSubcommand = (parent, { io }) => {
  parent
    .command('key')
    .description('print a new private key in key file format, or the public key of a key file')
    .argument('[file]', 'key file, as used by derper -c')
    .action((file: string | undefined) => io.out(`${keyText(file)}\n`))
}

function keyText(file: string | undefined): string {
  if (file === undefined) return JSON.stringify({ PrivateKey: NodePrivateKey.generate().exportText() })
  const key = parseKeyFile(file)
  if (key === undefined) throw new DerpError('ERR_DERP_CONFIG_INVALID', `read key file ${file}: no such file`)
  return key.publicKey().toString()
}
