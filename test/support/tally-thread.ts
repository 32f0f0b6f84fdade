/** A thread that opens and closes connections at full speed, for tests of shared counts. */

import { parentPort, workerData } from 'node:worker_threads'
import { SharedTally, type TallyMemory } from '../../src/listen/shared-tally.ts'

export interface TallyThreadData {
  readonly memory: TallyMemory
  readonly thread: number
  readonly max: number
  /** Connections to open. */
  readonly count: number
  /** Words: nonzero to start; ready threads; connections actually open. */
  readonly common: SharedArrayBuffer
}

/** The thread's result. */
export interface TallyThreadResult {
  /** Maximum of connections actually open after this thread opened one. */
  readonly mostOpen: number
  readonly taken: number
  readonly refused: number
  /** Connections allowed by the source rate. */
  readonly allowed: number
}

const SOURCE = '\x7f\0\0\x01'
const { memory, thread, max, count, common } = workerData as TallyThreadData
const tally = new SharedTally(memory, thread, { perSecond: 0.001, burst: count })
const result = { mostOpen: 0, taken: 0, refused: 0, allowed: 0 }
const [START, READY, OPEN] = [0, 1, 2]
const words = new Int32Array(common)

function openBoth(): boolean {
  if (!tally.tryOpen(max)) return false
  if (tally.tryOpenOf(SOURCE, max)) return true
  tally.close()
  return false
}

Atomics.add(words, READY, 1)
Atomics.wait(words, START, 0)
for (let n = 0; n < count; n++) {
  if (!openBoth()) {
    result.refused++
    continue
  }
  result.taken++
  result.mostOpen = Math.max(result.mostOpen, Atomics.add(words, OPEN, 1) + 1)
  if (tally.tryTakeOf(SOURCE, 1_000)) result.allowed++
  Atomics.sub(words, OPEN, 1)
  tally.closeOf(SOURCE)
  tally.close()
}
parentPort?.postMessage(result satisfies TallyThreadResult)
