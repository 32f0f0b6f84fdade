/**
 * @param {'core' | 'edges'} name of the tests
 * @param {string[]} mutate
 * @returns {import('@stryker-mutator/api/core').PartialStrykerOptions}
 */
export const strykerOptions = (name, mutate) => ({
  testRunner: 'vitest',
  plugins: ['@stryker-mutator/vitest-runner'],
  vitest: { configFile: `test/mutation/vitest-${name}.config.ts`, related: false },
  mutate: [...mutate, '!src/**/*.test.ts'],
  // Texts are for people; those that other programs read have tests of their own.
  mutator: { excludedMutations: ['StringLiteral'] },
  tsconfigFile: 'none',
  ignorePatterns: ['/dist', '/tools'],
  coverageAnalysis: 'perTest',
  ignoreStatic: true,
  disableTypeChecks: false,
  // More than two cores can do at once: many mutants are found by something that does not come.
  concurrency: 3,
  timeoutMS: 15_000,
  timeoutFactor: 2,
  dryRunTimeoutMinutes: 5,
  // With --incremental, only what has changed since the last run, and what survived it, is run again.
  incrementalFile: `reports/mutation/${name}-incremental.json`,
  reporters: ['clear-text', 'json', 'progress-append-only'],
  jsonReporter: { fileName: `reports/mutation/${name}.json` },
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false, reportMutants: false },
  thresholds: { high: 95, low: 85, break: null },
  allowConsoleColors: false,
})
