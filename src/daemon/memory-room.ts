/** Whether this thread has memory for another connection. */

import { Profiler } from '../http/debug/profiler.ts'
import type { Clock } from '../lib/clock.ts'
import { MemoryRoom } from '../listen/memory-room.ts'

/** For the listeners of this thread. */
export function memoryRoom(clock: Clock): () => boolean {
  const profiler = new Profiler()
  return new MemoryRoom({ clock, collect: () => profiler.collectGarbage() }).hasRoom
}
