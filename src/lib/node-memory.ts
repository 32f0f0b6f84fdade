/** Memory that this process may use, and uses. */

import { totalmem } from 'node:os'
import { getHeapStatistics } from 'node:v8'
import { byRuntime } from './runtime.ts'

/** The machine's memory, or what the control group of this process may use of it. */
export function usableMemoryBytes(): number {
  const constrained = process.constrainedMemory()
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
}

/** The used part, from 0 to 1, of the memory that this process may use; at 1 the process is killed. */
export function memoryInUse(): number {
  return Math.max(process.memoryUsage.rss() / usableMemoryBytes(), heapInUse())
}

/** The heap of this thread has a limit of its own, which is fatal too; on Bun there is none. */
const heapInUse: () => number = byRuntime({
  node: () => {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics()
    return used / limit
  },
  bun: () => 0,
})
