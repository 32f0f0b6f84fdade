/** `derp map schema`: prints the JSON Schema of a DERP map. */

import { derpMapSchema } from '../../../derpmap/map-schema.ts'
import type { AddSubcommand } from '../subcommand.ts'

export const addSchema: AddSubcommand = (parent, { io }) => {
  parent
    .command('schema')
    .description('print the JSON Schema of a DERP map')
    .action(() => io.out(`${JSON.stringify(derpMapSchema(), undefined, 2)}\n`))
}
