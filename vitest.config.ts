import { defineConfig, type ViteUserConfig } from 'vitest/config'

// The gate runs the fast projects; `npm test` runs all of them.
const project = (name: string, include: string[], slow = false) => ({
  test: {
    name,
    include,
    testTimeout: slow ? 120_000 : 15_000,
    hookTimeout: slow ? 180_000 : 15_000,
    fileParallelism: !slow,
    // Conformance cases that run side by side wait most of the time.
    maxConcurrency: 10,
  },
})

const config: ViteUserConfig = defineConfig({
  test: {
    reporters: ['default', './scripts/plain-summary.ts'],
    projects: [
      project('unit', ['src/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts']),
      project('golden', ['test/golden/**/*.test.ts']),
      project('property', ['test/property/**/*.test.ts']),
      project('integration', ['test/integration/**/*.test.ts']),
      project('conformance', ['test/conformance/**/*.test.ts'], true),
      project('interop', ['test/interop/**/*.test.ts'], true),
      project('cli', ['test/cli/**/*.test.ts'], true),
    ],
  },
})

export default config
