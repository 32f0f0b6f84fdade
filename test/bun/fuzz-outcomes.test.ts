/** What the fuzz targets make of the inputs that are kept, on Bun as on Node. */

import { expect, test } from 'vitest'
import { loadTarget, readCorpus, readFound, targetNames } from '../../fuzz/engine/corpus.ts'
import { differencesOnBun } from '../../fuzz/engine/on-bun.ts'

test('every kept input has the same outcome on both runtimes', async () => {
  const inputs = new Map<string, readonly Uint8Array[]>()
  for (const name of targetNames()) {
    inputs.set(name, [...(await loadTarget(name)).seeds, ...readFound(name), ...readCorpus(name)])
  }
  expect(await differencesOnBun(inputs)).toEqual([])
})
