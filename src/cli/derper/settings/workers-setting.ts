/** On how many threads the relay runs, from the flag. */

import { availableParallelism } from 'node:os'
import type { FlagValues } from '../../go-flags.ts'
import type { OPERATION_FLAGS } from '../flags/operations.ts'
import { badSetting } from './setting.ts'

type Flags = Pick<FlagValues<typeof OPERATION_FLAGS>, 'workers'>

/** More would only wait for each other. */
const MAX_WORKERS = 64

/** Systems that spread the connections of a port over all who listen on it. */
const SPREADING: ReadonlySet<NodeJS.Platform> = new Set(['linux', 'freebsd', 'sunos', 'aix'])

/** What the system can do. */
export interface Machine {
  readonly platform: NodeJS.Platform
  /** Threads that can run at the same time. */
  readonly parallelism: number
}

const THIS_MACHINE: Machine = { platform: process.platform, parallelism: availableParallelism() }

/** 1 for the main thread alone. @throws DerpError naming flag, value and reason. */
export function workersSetting({ workers: text }: Flags, machine: Machine = THIS_MACHINE): number {
  const wanted = text === 'auto' ? Math.min(machine.parallelism, MAX_WORKERS) : Number(text)
  const isGood = text === 'auto' || (/^\d{1,3}$/.test(text) && wanted >= 1 && wanted <= MAX_WORKERS)
  if (!isGood) throw badSetting('workers', text, `neither a number from 1 to ${MAX_WORKERS} nor "auto"`)
  return SPREADING.has(machine.platform) ? wanted : 1
}

/** What was given in vain. */
export function workersNotes({ workers: text }: Flags, { platform }: Machine = THIS_MACHINE): string[] {
  if (SPREADING.has(platform) || text === '1') return []
  return ['-workers has no effect: this system does not spread connections over several listeners of a port']
}
