import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig, type ViteUserConfig } from 'vitest/config'
import { PATIENCE_MS } from './test/support/patience.ts'
import { RUNS_ALL } from './test/support/selection.ts'
import { bunPath } from './tools/bun/bun-path.ts'

// What Node compiles is kept: programs and threads that tests start spare half their start.
process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, 'node_modules/.cache/compiled')

/** What takes long and changes seldom. */
const LONG = [
  'test/browser/examples.test.ts',
  'test/cli/{examples-peers,package}.test.ts',
  'test/interop/local-daemon.test.ts',
]

// The gate runs the first two projects, `npm test` all but "long" and "bun". The slow ones come last: by then Go programs are built.
const project = (name: string, include: string[], slow = false, env: Record<string, string> = {}) => ({
  test: {
    name,
    include,
    exclude: name === 'long' ? [] : LONG,
    env,
    // They end what hangs, which takes longer on a busy machine; the waits within tests end sooner and say for what.
    testTimeout: slow ? 300_000 : 150_000,
    hookTimeout: slow ? 300_000 : 150_000,
    expect: { poll: { timeout: PATIENCE_MS } },
    // Files of a fast project share processes, which spares most of their start: a test leaves nothing behind.
    isolate: slow,
    // As many files at a time as have a core each, and one more of the slow ones, which wait a third of their time.
    maxWorkers: Math.max(2, availableParallelism()) + (slow ? 1 : 0),
    ...(slow && { globalSetup: './test/support/prebuild.ts' }),
    sequence: { groupOrder: slow ? 1 : 0 },
    // Conformance cases that run side by side wait most of the time.
    maxConcurrency: 10,
  },
})

const onBun = project('bun', ['test/bun/**/*.test.ts'], true, { DERPHTTP_RUNTIME: 'bun' })

const config: ViteUserConfig = defineConfig({
  test: {
    reporters: ['default', './scripts/plain-summary.ts'],
    projects: [
      project('unit', ['src/**/*.test.ts']),
      project('golden', ['test/golden/**/*.test.ts']),
      project('scripts', ['scripts/**/*.test.ts', 'bench/**/*.test.ts']),
      project('property', ['test/property/**/*.test.ts']),
      project('integration', ['test/integration/**/*.test.ts']),
      project('conformance', ['test/conformance/**/*.test.ts'], true),
      project('interop', ['test/interop/**/*.test.ts'], true),
      project('browser', ['test/browser/**/*.test.ts'], true),
      project('cli', ['test/cli/**/*.test.ts'], true),
      ...(RUNS_ALL ? [project('long', LONG, true)] : []),
      ...(RUNS_ALL && bunPath() !== undefined ? [onBun] : []),
    ],
  },
})

export default config
