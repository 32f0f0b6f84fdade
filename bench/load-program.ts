/** A load generator, driven by its flags and standard input, heard by its JSON lines. */

import { type Program, startProgram } from '../test/support/process.ts'
import type { BenchRelay } from './contender.ts'

/** Beyond what the slowest scenario takes to connect its clients. */
const PATIENCE_MS = 180_000

/** What the generator does; bench/go has them all, bench/load the first. */
export type LoadKind = 'flow' | 'pingpong' | 'login' | 'idle' | 'stall'

/** Flags by name; times are in Go's form. */
export type LoadFlags = Readonly<Record<string, string | number>>

/** The measured time as the generator saw it; processor time in seconds. */
export interface LoadWindow {
  readonly seconds: number
  /** Of the relay. */
  readonly cpuSeconds: number
  readonly loadCpuSeconds: number
  /** Of everything else on the machine, the system's own work included. */
  readonly otherCpuSeconds: number
}

/** Micro-seconds. */
export interface LoadTimes {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** What the scenarios tell in the end. */
export interface LoadResults {
  readonly flow: LoadWindow & { readonly packets: number; readonly lost: number }
  readonly pingpong: LoadWindow & { readonly roundTripMicros: LoadTimes }
  readonly login: LoadWindow & { readonly logins: number; readonly failed: number }
  readonly idle: { readonly clients: number; readonly lost: number }
  readonly stall: LoadWindow & { readonly ageMicros: LoadTimes }
}

/** A command that takes a kind and flags. */
export type LoadCommand = readonly [path: string, ...args: string[]]

export class LoadProgram<K extends LoadKind> {
  readonly #program: Program

  private constructor(program: Program) {
    this.#program = program
  }

  static async start<K extends LoadKind>(
    command: LoadCommand,
    kind: K,
    relay: BenchRelay,
    flags: LoadFlags,
  ): Promise<LoadProgram<K>> {
    const [path, ...before] = command
    const all = { url: relay.url, ca: relay.caFile, pid: relay.pid, ...flags }
    const args = Object.entries(all).map(([name, value]) => `--${name}=${value}`)
    return new LoadProgram(await startProgram(path, [...before, kind, ...args], { patienceMs: PATIENCE_MS }))
  }

  /** Resolves when clients are connected and warm. */
  async ready(): Promise<void> {
    await this.#line('ready')
  }

  /** Has a generator without a set duration end, and gives what it tells. */
  finish(): Promise<LoadResults[K]> {
    this.#program.child.stdin?.end()
    return this.result()
  }

  async result(): Promise<LoadResults[K]> {
    const { data } = await this.#line('result')
    return data as LoadResults[K]
  }

  stop(): Promise<void> {
    return this.#program.stop()
  }

  #line(event: string): Promise<{ readonly event: string; readonly data?: unknown }> {
    return this.#program.lineWhere(text => {
      const line: { readonly event: string; readonly data?: unknown } = JSON.parse(text)
      return line.event === event ? line : undefined
    })
  }
}

/** Runs a generator to its end. */
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

/** The same generator, given way to by everything else: for load beside what is measured. */
export function inBackground(command: LoadCommand): LoadCommand {
  return ['nice', '-n', '19', ...command]
}
