/** What Stryker runs for each mutant. */

import { BaseSequencer, type InlineConfig, type TestSpecification } from 'vitest/node'

/** The first failure ends the run of a mutant, so tests beside the code come first, and properties with many runs last. */
class QuickFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) =>
      moduleId.includes('/test/property/') ? 2 : moduleId.includes('/test/') ? 1 : 0
    return files.toSorted((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId))
  }
}

interface Files {
  readonly include: string[]
  /** Tests of seconds, which only meet the mutants that survive the others: time limits grow with the tests of a mutant. */
  readonly slow: readonly string[]
  readonly exclude?: readonly string[]
}

export function mutationTests({ include, slow, exclude = [] }: Files): InlineConfig {
  return {
    include,
    exclude: [...exclude, ...(process.env['MUTATION_TESTS'] === 'quick' ? slow : [])],
    // A thread per file would be half of the time, and these leave nothing behind.
    isolate: false,
    sequence: { sequencer: QuickFirst },
    // A frame that never comes is reported after 5 s; less would count a slow machine as a mutant that was found.
    env: { TEST_PATIENCE_MS: '5000', REGION_SCHEDULES: '100' },
    expect: { poll: { timeout: 5_000 } },
    testTimeout: 60_000,
  }
}
