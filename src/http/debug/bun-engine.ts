/** JavaScriptCore. Its only heap profiles are snapshots, which would contain keys and tokens. */

import type { Engine } from './engine.ts'
import { cpuProfile } from './inspector.ts'

/** The part of Bun's API used here. */
interface BunPlatform {
  readonly Bun: { gc(isSynchronous: boolean): void }
}

export const bunEngine: Engine = {
  profiles: { cpu: cpuProfile, heap: undefined },
  collectGarbage: async () => (globalThis as unknown as BunPlatform).Bun.gc(true),
}
