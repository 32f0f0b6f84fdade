/** Memory of a process, from `/proc`, in KB. */

import { readFileSync, writeFileSync } from 'node:fs'

/** @throws Error without such a process. */
export function residentKilobytes(pid: number): number {
  return field(pid, /^VmRSS:\s+(\d+) kB$/m)
}

/** The most since {@link resetPeak}, or since the process began. */
export function peakKilobytes(pid: number): number {
  return field(pid, /^VmHWM:\s+(\d+) kB$/m)
}

export function resetPeak(pid: number): void {
  // The number that stands for the peak.
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

function field(pid: number, pattern: RegExp): number {
  const match = pattern.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  if (match === null) throw new Error(`read memory of process ${pid}: it has exited, or /proc has no ${pattern.source}`)
  return Number(match[1])
}
