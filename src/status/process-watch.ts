/** Process statistics from the operating system; those only available on Linux are 0 elsewhere, as in the original. */

import { readdir, readFile } from 'node:fs/promises'

export interface ProcessSnapshot {
  readonly uptimeSeconds: number
  /** Process start, in seconds since 1970. */
  readonly startUnixSeconds: number
  readonly cpuSeconds: number
  readonly residentBytes: number
  /** {@link residentBytes} when the relay was created. */
  readonly residentBytesAtStart: number
  readonly virtualBytes: number
  readonly maxVirtualBytes: number
  readonly openFiles: number
  readonly maxOpenFiles: number
}

/** How an absent limit is shown: the largest 64-bit number. */
const UNLIMITED = 2 ** 64

const MAX_OPEN_FILES = /^Max open files\s+(\S+)/m

/** The descriptor limit in `/proc/self/limits`: 0 if absent, {@link UNLIMITED} if unlimited. */
export function maxOpenFiles(limits: string): number {
  return numberIn(limits, MAX_OPEN_FILES)
}

export class ProcessWatch {
  readonly #startUnixSeconds: number
  readonly #residentBytesAtStart = process.memoryUsage.rss()

  /** @param wallNow milliseconds since 1970. */
  constructor(wallNow: () => number) {
    this.#startUnixSeconds = wallNow() / 1_000 - process.uptime()
  }

  async read(): Promise<ProcessSnapshot> {
    const [files, limits, status] = await Promise.all([openFiles(), readText('limits'), readText('status')])
    const { user, system } = process.cpuUsage()
    return {
      uptimeSeconds: process.uptime(),
      startUnixSeconds: this.#startUnixSeconds,
      cpuSeconds: (user + system) / 1_000_000,
      residentBytes: process.memoryUsage.rss(),
      residentBytesAtStart: this.#residentBytesAtStart,
      virtualBytes: numberIn(status, /^VmSize:\s*(\d+) kB$/m) * 1_024,
      maxVirtualBytes: numberIn(limits, /^Max address space\s+(\S+)/m),
      openFiles: files,
      maxOpenFiles: maxOpenFiles(limits),
    }
  }
}

/** Number of open descriptors, including the one that reads the directory. */
async function openFiles(): Promise<number> {
  return (await readdir('/proc/self/fd').catch(() => [])).length
}

function readText(name: string): Promise<string> {
  return readFile(`/proc/self/${name}`, 'utf8').catch(() => '')
}

function numberIn(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1]
  if (found === 'unlimited') return UNLIMITED
  return found === undefined ? 0 : Number(found)
}
