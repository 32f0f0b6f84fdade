/** The processes of a load test: this one, or others, controlled by lines of JSON. */

import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { DerpError } from '../../../lib/derp-error.ts'
import type { LoadProcess } from './bench-run.ts'
import type { Connected, LoadRun } from './load-run.ts'
import type { LoadSetup } from './load-setup.ts'
import { Tally, type TallyData } from './tally.ts'

/** Name of the hidden subcommand that is such a process. */
export const WORKER_COMMAND = 'bench-worker'

/** From parent to child, after the setup. */
export const START = 'start'
const STOP = 'stop'

/** From child to parent. */
export type WorkerLine =
  | { readonly event: 'connected'; readonly connected: Connected }
  | { readonly event: 'tally'; readonly tally: TallyData }
  | { readonly event: 'done' }

/** The load in this process. */
export function ownProcess(run: LoadRun): LoadProcess {
  return {
    connect: () => run.connect(),
    run: () => run.run(),
    tally: () => run.tally.data(),
    stop: () => run.stop(),
  }
}

/** The load in a process of its own, which ends with this one. */
export class OtherProcess implements LoadProcess {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  #tally: TallyData = new Tally().data()

  constructor(setup: LoadSetup) {
    const [path, args, argv0] = selfCommand()
    this.#child = spawn(path, [...args, WORKER_COMMAND], { stdio: ['pipe', 'pipe', 'inherit'], argv0 })
    const { stdout, stdin } = this.#child
    if (stdout === null || stdin === null) throw new Error('start process: no pipes')
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]()
    // A process that has ended gives the reason on standard error.
    stdin.on('error', () => {})
    this.#child.on('error', () => {})
    this.#say(JSON.stringify(setup))
  }

  async connect(): Promise<Connected> {
    const line = await this.#next()
    if (line.event === 'connected') return line.connected
    throw broken()
  }

  async run(): Promise<void> {
    this.#say(START)
    for (let line = await this.#next(); line.event !== 'done'; line = await this.#next()) {
      if (line.event === 'tally') this.#tally = line.tally
    }
    this.#child.stdin?.end()
  }

  tally(): TallyData {
    return this.#tally
  }

  stop(): void {
    this.#say(STOP)
  }

  /** Kills the process. */
  close(): void {
    this.#child.stdin?.end()
    this.#child.kill()
  }

  #say(line: string): void {
    this.#child.stdin?.write(`${line}\n`)
  }

  async #next(): Promise<WorkerLine> {
    const { value, done } = await this.#lines.next()
    if (done) throw broken()
    return JSON.parse(value)
  }
}

/** How to start this program again: by its script, or as it is if it is a single file. */
function selfCommand(): [path: string, args: readonly string[], argv0: string] {
  const { execPath, execArgv, argv, argv0 } = process
  const [, script = execPath] = argv
  return script === execPath ? [execPath, [], argv0] : [execPath, [...execArgv, script], execPath]
}

function broken(): DerpError {
  return new DerpError('ERR_DERP_CONN_CLOSED', 'load relay: a process of the load has ended')
}
