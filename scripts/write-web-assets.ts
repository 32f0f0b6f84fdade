/** Writes the built scripts and style sheets of the pages into `src/web/built-assets.ts`. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildWebAssets, formatAssetsModule } from './web-assets.ts'

writeFileSync(
  join(import.meta.dirname, '../src/web/built-assets.ts'),
  formatAssetsModule((await buildWebAssets()).assets),
)
