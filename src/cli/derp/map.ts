/** `derp map`: tools for DERP maps. */

import { addConvert } from './map/convert.ts'
import { addDiff } from './map/diff.ts'
import { addLint } from './map/lint.ts'
import { addMake } from './map/make.ts'
import { addSchema } from './map/schema.ts'
import { addShow } from './map/show.ts'
import type { AddSubcommand } from './subcommand.ts'

export const addMap: AddSubcommand = (parent, context) => {
  const map = parent.command('map').description('generate, lint, show, compare and convert DERP maps')
  for (const add of [addMake, addLint, addShow, addDiff, addConvert, addSchema]) add(map, context)
}
