/** The same bytes to our relay and to the original: clients see the same. */

import { expect, test } from 'vitest'
import { encodeInput } from '../../fuzz/engine/corpus.ts'
import { AgainstStock } from '../../fuzz/stock/against-stock.ts'
import { stockInputs } from '../../fuzz/stock/run-stock.ts'
import { hasGo } from '../support/go-tools.ts'

test.skipIf(!hasGo)('our relay and the original let a client see the same for every kept input', async () => {
  await using pair = await AgainstStock.start()
  for (const input of await stockInputs()) {
    const difference = await pair.compare(input)
    expect({ input: encodeInput(input), difference }).toEqual({ input: encodeInput(input), difference: undefined })
  }
})
