/** The clients of one relay of a region: a load generator that takes commands. */

import { type Program, startProgram } from '../../test/support/process.ts'
import type { LoadCommand, LoadTimes } from '../load-program.ts'

/** Longer than all logins of one relay take. */
const PATIENCE_MS = 300_000
const LOGINS_AT_ONCE = 8

export interface CrewOptions {
  readonly urls: readonly string[]
  /** Index of the relay of these clients. */
  readonly home: number
  /** What keys are derived from. */
  readonly seed: string
  readonly caFile: string
}

export interface Talk {
  readonly pairs: number
  readonly calls: number
  readonly seconds: number
}

/** Of the clients of a relay that has died. */
export interface Recovery {
  readonly clients: number
  /** Those that the relay's clients made, of which one to each other relay is needed. */
  readonly calls: number
  /** From a client's loss to its login at another relay. */
  readonly awayMicros: LoadTimes
  /** From that login to the first answer, and to the first call, of each relay's client. */
  readonly answeredMicros: LoadTimes
  readonly calledMicros: LoadTimes
}

export class Crew {
  readonly #program: Program

  private constructor(program: Program) {
    this.#program = program
  }

  static async start([path, ...before]: LoadCommand, { urls, home, seed, caFile }: CrewOptions): Promise<Crew> {
    const flags = { url: urls[home], ca: caFile, urls: urls.join(','), home, seed, workers: LOGINS_AT_ONCE }
    const args = Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
    const program = await startProgram(path, [...before, 'crowd', ...args], { patienceMs: PATIENCE_MS })
    const crew = new Crew(program)
    await crew.#event('ready')
    return crew
  }

  /** Logs in more clients. */
  async login(count: number): Promise<void> {
    await this.#command('login', count)
  }

  /** Each of these clients calls the one with its number at every other relay until it answers. */
  talk(from: number, to: number): Promise<Talk> {
    return this.#command('talk', from, to)
  }

  /** The first clients call those of another relay until they answer, wherever those are. */
  seek(home: number, to: number): Promise<Talk> {
    return this.#command('seek', home, to)
  }

  /** Clients whose relay has died find their way back. @param called how many are sought by those of the other relays. */
  recover(called: number): Promise<Recovery> {
    return this.#command('recover', called)
  }

  stop(): Promise<void> {
    return this.#program.stop('SIGKILL')
  }

  #command<T>(name: string, ...numbers: readonly number[]): Promise<T> {
    this.#program.write(`${[name, ...numbers].join(' ')}\n`)
    return this.#event<T>(name)
  }

  async #event<T>(name: string): Promise<T> {
    const { data } = await this.#program.lineWhere(text => {
      const line = JSON.parse(text) as { readonly event: string; readonly data: T }
      return line.event === name ? line : undefined
    })
    return data
  }
}
