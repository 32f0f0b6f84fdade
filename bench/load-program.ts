/** A load generator: controlled by flags and standard input, reports in JSON lines. */

import { type Program, startProgram } from '../test/support/process.ts'
import type { BenchRelay } from './contender.ts'

/** Longer than the slowest scenario takes to connect its clients. */
const PATIENCE_MS = 180_000

/** Kinds of load; bench/go implements all, bench/load only the first. */
export type LoadKind = 'flow' | 'pingpong' | 'login' | 'idle' | 'stall' | 'paced' | 'flood' | 'region'

/** Flags by name; durations in Go's notation. */
export type LoadFlags = Readonly<Record<string, string | number>>

/** The measured window; CPU time in seconds. */
export interface LoadWindow {
  readonly seconds: number
  /** Of the relay. */
  readonly cpuSeconds: number
  readonly loadCpuSeconds: number
  /** Of everything else on the machine, kernel included. */
  readonly otherCpuSeconds: number
}

/** In microseconds. */
export interface LoadTimes {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** Results by kind. */
export interface LoadResults {
  readonly flow: LoadWindow & { readonly packets: number; readonly lost: number }
  readonly pingpong: LoadWindow & { readonly roundTripMicros: LoadTimes }
  readonly login: LoadWindow & { readonly logins: number; readonly failed: number }
  readonly idle: { readonly clients: number; readonly lost: number }
  readonly stall: LoadWindow & { readonly ageMicros: LoadTimes }
  readonly paced: { readonly ageMicros: LoadTimes; readonly lost: number; readonly broken: number }
  readonly flood: FloodCounts
  readonly region: RegionCounts
}

/** What clients of a region did within the measured window. */
export interface RegionCounts {
  readonly seconds: number
  /** Packets received from clients of the same relay, and of others. */
  readonly local: number
  readonly cross: number
  readonly sent: number
  readonly logins: number
  readonly failed: number
  /** Connected clients on average. */
  readonly connected: number
}

/** What attackers did. */
export interface FloodCounts {
  readonly bytes: number
  readonly opened: number
  readonly failed: number
  readonly letIn: number
  readonly answered: number
  /** Seconds that the relay stayed busy after all connections had closed, if asked for. */
  readonly backlogSeconds: number
}

/** A generator's command; takes a kind and flags. */
export type LoadCommand = readonly [path: string, ...args: string[]]

export class LoadProgram<K extends LoadKind> {
  readonly #program: Program

  private constructor(program: Program) {
    this.#program = program
  }

  static async start<K extends LoadKind>(
    command: LoadCommand,
    kind: K,
    relay: Pick<BenchRelay, 'url' | 'caFile' | 'pid'>,
    flags: LoadFlags,
  ): Promise<LoadProgram<K>> {
    const [path, ...before] = command
    const all = { url: relay.url, ca: relay.caFile, pid: relay.pid, ...flags }
    const args = Object.entries(all).map(([name, value]) => `--${name}=${value}`)
    return new LoadProgram(await startProgram(path, [...before, kind, ...args], { patienceMs: PATIENCE_MS }))
  }

  /** Resolves when clients are connected and warmed up. */
  async ready(): Promise<void> {
    await this.#line('ready')
  }

  get pid(): number {
    return this.#program.child.pid as number
  }

  /** Starts the measured window of a generator that waits for this. */
  begin(): void {
    this.#program.write('begin\n')
  }

  /** Ends a generator without a duration, and returns its result. */
  finish(): Promise<LoadResults[K]> {
    this.#program.child.stdin?.end()
    return this.result()
  }

  async result(): Promise<LoadResults[K]> {
    const { data } = await this.#line('result')
    return data as LoadResults[K]
  }

  stop(signal?: NodeJS.Signals): Promise<void> {
    return this.#program.stop(signal)
  }

  #line(event: string): Promise<{ readonly event: string; readonly data?: unknown }> {
    return this.#program.lineWhere(text => {
      const line: { readonly event: string; readonly data?: unknown } = JSON.parse(text)
      return line.event === event ? line : undefined
    })
  }
}

/** Runs a generator to completion. */
export async function runLoad<K extends LoadKind>(
  command: LoadCommand,
  kind: K,
  relay: BenchRelay,
  flags: LoadFlags,
): Promise<LoadResults[K]> {
  const program = await LoadProgram.start(command, kind, relay, flags)
  try {
    return await program.result()
  } finally {
    await program.stop()
  }
}

/** The same generator at low priority, for background load. */
export function inBackground(command: LoadCommand): LoadCommand {
  return ['nice', '-n', '19', ...command]
}
