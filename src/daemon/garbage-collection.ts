/** Garbage collection settings of this process. */

import { byRuntime } from '../lib/runtime.ts'
import { tuneV8 } from './node-garbage-collection.ts'

/** Call before the first client connects. Bun needs nothing: its collector counts socket buffers as heap memory. */
export const tuneGarbageCollection: () => void = byRuntime({ node: tuneV8, bun: () => {} })
