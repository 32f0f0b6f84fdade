/** Sets how this process collects garbage. */

import { byRuntime } from '../lib/runtime.ts'
import { tuneV8 } from './node-garbage-collection.ts'

/** To be called before the first client comes. Bun's collector counts buffers of sockets as its own and needs nothing. */
export const tuneGarbageCollection: () => void = byRuntime({ node: tuneV8, bun: () => {} })
