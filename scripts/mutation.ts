/**
 * Runs the mutation tests: `npm run mutation`.
 *
 * Each mutant meets the quick tests first and only what survives them meets the slow ones: a mutant that loops ends
 * with a time limit that grows with the tests that cover it.
 */

import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..')

function stryker(name: string, tests: 'quick' | 'all', ...flags: string[]): void {
  const args = ['run', `test/mutation/stryker-${name}.config.mjs`, '--incremental', ...flags]
  execFileSync(join(ROOT, 'node_modules/.bin/stryker'), args, {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, MUTATION_TESTS: tests },
  })
}

for (const name of ['core', 'edges']) {
  stryker(name, 'quick', '--force')
  stryker(name, 'all')
}
