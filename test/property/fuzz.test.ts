// The inputs that fuzzing has kept: invariants hold for all of them. See docs/understand/security/fuzzing.md.

import { describe, expect, test } from 'vitest'
import { loadTarget, readCorpus, readFound, targetNames } from '../../fuzz/engine/corpus.ts'
import { Violation } from '../../fuzz/engine/target.ts'
import { fillFuzzingPage, readReport } from '../../fuzz/record.ts'

describe.concurrent('replay', () => {
  test.each(targetNames())('no kept input of %s violates an invariant', async name => {
    const target = await loadTarget(name)
    const inputs = [...target.seeds, ...readFound(name), ...readCorpus(name)]
    expect(inputs.length).toBeGreaterThan(0)
    for (const input of inputs) {
      try {
        await target.run(new Uint8Array(input))
      } catch (error) {
        const what = error instanceof Violation ? error.message : String(error)
        throw new Error(`run ${Buffer.from(input).toString('base64')}: ${what}`, { cause: error })
      }
    }
  })
})

test('the page of fuzzing has the targets as they are, and the recorded times', async () => {
  const { report, document } = await readReport()
  expect(fillFuzzingPage(document, report)).toBe(document)
})
