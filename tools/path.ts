/**
 * The folders of the pinned Node, Bun, Deno and workerd, and of other programs, for `PATH`:
 * `export PATH=$(npm run -s path):$PATH`.
 */

import { dirname, join } from 'node:path'
import { bunPath } from './bun/bun-path.ts'
import { denoPath } from './deno/deno-path.ts'
import { workerdPath } from './workerd/workerd-path.ts'

const programs = [bunPath(), denoPath(), workerdPath()].filter(path => path !== undefined)
const folders = [join(import.meta.dirname, '../node_modules/.bin'), ...programs.map(path => dirname(path))]
process.stdout.write(folders.join(':'))
