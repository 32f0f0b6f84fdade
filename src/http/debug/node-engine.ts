/** V8. */

import type { Engine } from './engine.ts'
import { cpuProfile, withSession } from './inspector.ts'

/** Average bytes between sampled allocations. */
const HEAP_INTERVAL_BYTES = 32_768

export const nodeEngine: Engine = {
  profiles: { cpu: cpuProfile, heap: heapProfile },
  collectGarbage: () => withSession(session => session.post('HeapProfiler.collectGarbage')),
}

function heapProfile(end: Promise<unknown>): Promise<object> {
  return withSession(async session => {
    await session.post('HeapProfiler.startSampling', { samplingInterval: HEAP_INTERVAL_BYTES })
    await end
    return (await session.post('HeapProfiler.stopSampling')).profile
  })
}
