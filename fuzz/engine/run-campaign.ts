/** Starts a campaign and watches over it. */

import { Worker } from 'node:worker_threads'
import type { CampaignResult } from './campaign.ts'
import type { CampaignOrder } from './campaign-thread.ts'
import { createCurrentInput, readCurrentInput } from './current-input.ts'
import { findingOf } from './finding.ts'

/** Seconds after which a run is one without end, even on a busy machine. */
const MAX_RUN_SECONDS = 30
/** Megabytes: inputs are short, and nothing may be left of them. */
const MAX_HEAP_MB = 512

export async function runCampaign(target: string, seconds: number, seed: number): Promise<CampaignResult> {
  const current = createCurrentInput()
  const order: CampaignOrder = { target, seconds, seed, current }
  const worker = new Worker(new URL('./campaign-thread.ts', import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  })
  const { promise, resolve, reject } = Promise.withResolvers<CampaignResult>()
  const startMs = performance.now()
  const end = (error: Error) => {
    const { run: runs, input } = readCurrentInput(current)
    // Before the first run it is the target that does not load.
    if (runs === 0) return reject(error)
    const spent = { runs, seconds: (performance.now() - startMs) / 1_000 }
    resolve({ ...spent, inputs: [], fresh: 0, reached: 0, places: 0, finding: findingOf(error, input) })
  }
  worker.once('message', (result: CampaignResult) => resolve(result))
  worker.once('error', end)
  worker.once('exit', code => end(new Error(`the thread ended with code ${code}`)))
  const watch = watchRuns(
    () => readCurrentInput(current).run,
    () => end(new Error('a run does not end')),
  )
  try {
    return await promise
  } finally {
    clearInterval(watch)
    await worker.terminate()
  }
}

/** Calls `onStuck` when the number of runs stays the same for too long; the first run begins after all is loaded. */
function watchRuns(runsSoFar: () => number, onStuck: () => void): NodeJS.Timeout {
  let last = 0
  let still = 0
  return setInterval(() => {
    const runs = runsSoFar()
    still = runs === last && runs > 0 ? still + 1 : 0
    last = runs
    if (still >= MAX_RUN_SECONDS) onStuck()
  }, 1_000)
}
