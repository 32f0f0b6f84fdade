/**
 * Checks the invariants of a region over random schedules, on all cores: `npm run simulate:check -- --schedules 100000`.
 *
 * A failed seed is repeated by `REGION_SEED=N npx vitest run test/property/region-schedules.test.ts`.
 */

import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { Schedule } from '../src/sim/schedule.ts'

const SCHEDULES = '100000'
/** Seeds that a thread takes at a time. */
const SHARE = 250
/** Failed seeds that are printed with their problems. */
const MAX_SHOWN = 10

interface Share {
  readonly first: number
  readonly count: number
}

interface Failure {
  readonly seed: number
  readonly problems: readonly string[]
}

function runShare({ first, count }: Share): Failure[] {
  const failures: Failure[] = []
  for (let seed = first; seed < first + count; seed++) {
    const problems = new Schedule(seed).run()
    if (problems.length > 0) failures.push({ seed, problems })
  }
  return failures
}

/** Runs shares on a thread until there are none left. */
function runThread(nextShare: () => Share | undefined, onDone: (share: Share, failures: Failure[]) => void) {
  const worker = new Worker(new URL(import.meta.url))
  return new Promise<void>((resolve, reject) => {
    let share = nextShare()
    const take = () => {
      if (share === undefined) void worker.terminate().then(() => resolve())
      else worker.postMessage(share)
    }
    worker.on('error', reject)
    worker.on('message', (failures: Failure[]) => {
      if (share !== undefined) onDone(share, failures)
      share = nextShare()
      take()
    })
    take()
  })
}

async function main(): Promise<void> {
  const options = {
    schedules: { type: 'string', default: SCHEDULES },
    first: { type: 'string', default: '1' },
  } as const
  const { values } = parseArgs({ options })
  const [first, schedules] = [Number(values.first), Number(values.schedules)]
  const beganAtMs = performance.now()
  const end = first + schedules
  let next = first
  let done = 0
  const failed: Failure[] = []
  const nextShare = () => {
    if (next >= end) return undefined
    const share = { first: next, count: Math.min(SHARE, end - next) }
    next += share.count
    return share
  }
  const onDone = ({ count }: Share, failures: Failure[]) => {
    done += count
    failed.push(...failures)
    if (done % (40 * SHARE) === 0) console.log(`${done} schedules, ${failed.length} failed`)
  }
  await Promise.all(Array.from({ length: availableParallelism() }, () => runThread(nextShare, onDone)))
  for (const { seed, problems } of failed.slice(0, MAX_SHOWN)) console.log(`seed ${seed}: ${problems.join('; ')}`)
  if (failed.length > 0) console.log(`failed seeds: ${failed.map(({ seed }) => seed).join(' ')}`)
  const tookS = ((performance.now() - beganAtMs) / 1_000).toFixed(0)
  console.log(`${schedules} schedules from seed ${first} in ${tookS} s: ${failed.length} failed`)
  process.exitCode = failed.length === 0 ? 0 : 1
}

if (isMainThread) await main()
else parentPort?.on('message', (share: Share) => parentPort?.postMessage(runShare(share)))
