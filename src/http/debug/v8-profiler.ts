/** Profiles of the JavaScript of this thread, as V8 makes them, and its garbage collector. */

import { Session } from 'node:inspector/promises'

/** What a profile is of: where time goes, or who holds the memory that was taken while it ran. */
export type ProfileKind = 'cpu' | 'heap'

/** Microseconds between two looks at what runs. */
const CPU_INTERVAL_US = 1_000
/** Bytes between two allocations that are looked at, on average. */
const HEAP_INTERVAL_BYTES = 32_768

/** One profile at a time: each makes the program slower. */
export class V8Profiler {
  #isBusy = false

  get isBusy(): boolean {
    return this.#isBusy
  }

  /**
   * Profiles until `end` resolves.
   *
   * @returns the profile as V8 describes it, ready for JSON.
   * @throws Error while another profile is being made.
   */
  async profile(kind: ProfileKind, end: Promise<unknown>): Promise<object> {
    if (this.#isBusy) throw new Error('make a profile: another is being made')
    this.#isBusy = true
    try {
      return await withSession(session => (kind === 'cpu' ? cpuProfile(session, end) : heapProfile(session, end)))
    } finally {
      this.#isBusy = false
    }
  }

  /** Collects all garbage there is; everything stands still meanwhile. */
  async collectGarbage(): Promise<void> {
    await withSession(session => session.post('HeapProfiler.collectGarbage'))
  }
}

async function cpuProfile(session: Session, end: Promise<unknown>): Promise<object> {
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: CPU_INTERVAL_US })
  await session.post('Profiler.start')
  await end
  return (await session.post('Profiler.stop')).profile
}

async function heapProfile(session: Session, end: Promise<unknown>): Promise<object> {
  await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_INTERVAL_BYTES })
  await end
  return (await session.post('HeapProfiler.stopSampling')).profile
}

/** What a session has switched on ends with it. */
async function withSession<T>(use: (session: Session) => Promise<T>): Promise<T> {
  const session = new Session()
  session.connect()
  try {
    return await use(session)
  } finally {
    session.disconnect()
  }
}
