/** The runtime on which tests start our relay and commands: `DERPHTTP_RUNTIME` is `bun` or `node`, the default. */

import type { RuntimeName } from '../../src/lib/runtime.ts'
import { runtimePath } from '../../tools/runtime-path.ts'

export const RUNTIME_NAME: RuntimeName = process.env['DERPHTTP_RUNTIME'] === 'bun' ? 'bun' : 'node'

/** @throws Error where it is not there: no test may be skipped for that. */
export const RUNTIME_PATH: string = runtimePath(process.env['DERPHTTP_RUNTIME'] ?? 'node')
