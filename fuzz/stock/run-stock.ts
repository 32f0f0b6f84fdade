/** Compares our relay with the original for inputs made of those that are kept for `relay-session`. */

import { loadTarget, readCorpus, readFound } from '../engine/corpus.ts'
import { mutate } from '../engine/mutate.ts'
import { Random } from '../engine/random.ts'
import { AgainstStock, type StockDifference } from './against-stock.ts'

const SOURCE = 'relay-session'
/** Inputs compared at a time: a client mostly waits. */
const AT_ONCE = 8
/** A difference that does not repeat is one of timing, of which the original has some. */
const REPEATS = 3
const MAX_BYTES = 2_048

export interface StockResult {
  readonly runs: number
  readonly seconds: number
  readonly difference: StockDifference | undefined
}

/** The inputs that are kept. */
export async function stockInputs(): Promise<readonly Uint8Array[]> {
  const { seeds } = await loadTarget(SOURCE)
  return [...seeds, ...readFound(SOURCE), ...readFound('stock'), ...readCorpus(SOURCE)]
}

export async function runAgainstStock(seconds: number, seed: number): Promise<StockResult> {
  await using pair = await AgainstStock.start()
  const { words = [] } = await loadTarget(SOURCE)
  const inputs = await stockInputs()
  const random = new Random(seed)
  const source = {
    random,
    words: words.map(word => (typeof word === 'string' ? Buffer.from(word) : word)),
    maxBytes: MAX_BYTES,
    other: () => random.oneOf(inputs),
  }
  const startMs = performance.now()
  const spent = () => (performance.now() - startMs) / 1_000
  let runs = 0
  let difference: StockDifference | undefined
  const work = async () => {
    while (difference === undefined && spent() < seconds) {
      runs++
      difference ??= await lasting(pair, mutate(random.oneOf(inputs), source))
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return { runs, seconds: spent(), difference }
}

/** A difference that comes again each time. */
async function lasting(pair: AgainstStock, input: Uint8Array): Promise<StockDifference | undefined> {
  let found: StockDifference | undefined
  for (let times = 0; times < REPEATS; times++) {
    found = await pair.compare(input)
    if (found === undefined) return undefined
  }
  return found
}
