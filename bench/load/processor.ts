/** Processor time of the relay, of this program and of the machine, as bench/go reads it. */

import { readFileSync } from 'node:fs'
import type { LoadWindow } from '../load-program.ts'

// The unit of /proc, the same on every Linux of today.
const TICKS_PER_SECOND = 100

/** A point in time, with seconds of processor time up to it. */
export interface Usage {
  readonly atMs: number
  readonly relay: number
  readonly load: number
  readonly machine: number
}

export function usageNow(pid: number): Usage {
  return {
    atMs: performance.now(),
    relay: processSeconds(String(pid)),
    load: processSeconds('self'),
    machine: machineSeconds(),
  }
}

/** What was used from one point in time to another. */
export function windowBetween(then: Usage, now: Usage): LoadWindow {
  const [relay, load] = [now.relay - then.relay, now.load - then.load]
  return {
    seconds: (now.atMs - then.atMs) / 1_000,
    cpuSeconds: relay,
    loadCpuSeconds: load,
    otherCpuSeconds: Math.max(0, now.machine - then.machine - relay - load),
  }
}

/** User and system time of all threads. */
function processSeconds(pid: string): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may hold anything; fields count from behind it.
  return seconds(text.slice(text.lastIndexOf(')') + 2).split(' '), [11, 12])
}

/** What all processors together have not idled away. */
function machineSeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
  return seconds(line.split(/ +/), [1, 2, 3, 6, 7, 8])
}

function seconds(fields: readonly string[], at: readonly number[]): number {
  return at.reduce((sum, index) => sum + Number(fields[index] ?? 0), 0) / TICKS_PER_SECOND
}
