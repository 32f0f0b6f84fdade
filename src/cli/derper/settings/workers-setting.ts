/** Number of threads, from the flag. */

import { availableParallelism } from 'node:os'
import type { FlagValues } from '../../go-flags.ts'
import type { OPERATION_FLAGS } from '../flags/operations.ts'
import { settingError } from './setting.ts'

type Flags = Pick<FlagValues<typeof OPERATION_FLAGS>, 'workers'>

/** More threads would only contend. */
const MAX_WORKERS = 64

/** Systems where SO_REUSEPORT balances connections over listeners. */
const BALANCING: ReadonlySet<NodeJS.Platform> = new Set(['linux', 'freebsd', 'sunos', 'aix'])

export interface Machine {
  readonly platform: NodeJS.Platform
  /** Threads that can run in parallel. */
  readonly parallelism: number
}

const THIS_MACHINE: Machine = { platform: process.platform, parallelism: availableParallelism() }

/** 1 for the main thread only. @throws DerpError naming flag, value and reason. */
export function workersSetting({ workers: text }: Flags, machine: Machine = THIS_MACHINE): number {
  const wanted = text === 'auto' ? Math.min(machine.parallelism, MAX_WORKERS) : Number(text)
  const isValid = text === 'auto' || (/^\d{1,3}$/.test(text) && wanted >= 1 && wanted <= MAX_WORKERS)
  if (!isValid) throw settingError('workers', text, `neither a number from 1 to ${MAX_WORKERS} nor "auto"`)
  return BALANCING.has(machine.platform) ? wanted : 1
}

/** Flags without effect. */
export function workersNotes({ workers: text }: Flags, { platform }: Machine = THIS_MACHINE): string[] {
  if (BALANCING.has(platform) || text === '1') return []
  return ['-workers has no effect: this system does not balance connections over several listeners on a port']
}
