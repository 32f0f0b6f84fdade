/** What JavaScriptCore has: no profile of the heap but snapshots, which would hold keys and tokens. */

import type { Engine } from './engine.ts'
import { cpuProfile } from './inspector.ts'

/** The part of Bun's own interface that is used. */
interface BunPlatform {
  readonly Bun: { gc(isSynchronous: boolean): void }
}

export const bunEngine: Engine = {
  profiles: { cpu: cpuProfile, heap: undefined },
  collectGarbage: async () => (globalThis as unknown as BunPlatform).Bun.gc(true),
}
