/** CPU time of the relay, this program and the machine, measured like in bench/go. */

import { readFileSync } from 'node:fs'
import type { LoadWindow } from '../load-program.ts'

// The unit of /proc, the same on all current Linux systems.
const TICKS_PER_SECOND = 100

/** A point in time, with CPU seconds up to it. */
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

/** CPU time used between two points in time. */
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
export function processSeconds(pid: string): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in parentheses, may contain anything; fields are counted from its end.
  return seconds(text.slice(text.lastIndexOf(')') + 2).split(' '), [11, 12])
}

/** Non-idle time of all CPUs. */
export function machineSeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
  return seconds(line.split(/ +/), [1, 2, 3, 6, 7, 8])
}

function seconds(fields: readonly string[], at: readonly number[]): number {
  return at.reduce((sum, index) => sum + Number(fields[index] ?? 0), 0) / TICKS_PER_SECOND
}
