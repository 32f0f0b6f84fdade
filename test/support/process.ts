/** Programs that a test starts, reads line by line, and stops. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { PATIENCE_MS } from './patience.ts'

/** Options of {@link startProgram}. */
export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Time limit for a line or exit. Default {@link PATIENCE_MS}. */
  readonly patienceMs?: number
}

/** A started program. Its standard error is recorded. */
export class Program {
  readonly child: ChildProcess
  readonly #name: string
  readonly #patienceMs: number
  #stderr = ''
  #stdout = ''
  readonly #lines: string[] = []
  #onLine: (() => void) | undefined
  #ended = false

  constructor(name: string, child: ChildProcess, patienceMs = PATIENCE_MS) {
    this.child = child
    this.#name = name
    this.#patienceMs = patienceMs
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
      this.#onLine?.()
    })
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#stdout += chunk.toString('utf8')
    })
    if (child.stdout !== null) {
      createInterface({ input: child.stdout }).on('line', line => {
        this.#lines.push(line)
        this.#onLine?.()
      })
    }
    child.once('close', () => {
      this.#ended = true
      this.#onLine?.()
    })
  }

  /** All of standard error so far. */
  get stderr(): string {
    return this.#stderr
  }

  /** All of standard output so far. */
  get stdout(): string {
    return this.#stdout
  }

  /** Takes the first line of standard output for which `accept` returns a value; waits for it. */
  async lineWhere<T>(accept: (line: string) => T | undefined): Promise<T> {
    for (;;) {
      for (let at = 0; at < this.#lines.length; at++) {
        const found = accept(this.#lines[at] as string)
        if (found === undefined) continue
        this.#lines.splice(at, 1)
        return found
      }
      await this.#news('a line')
    }
  }

  /** Waits for text on standard error. */
  async stderrMatch(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stderr)
      if (match !== null) return match
      await this.#news(`${pattern}`)
    }
  }

  write(text: string): void {
    this.child.stdin?.write(text)
  }

  /** Waits for the exit; resolves to the exit code, or the signal that killed it. */
  async exit(): Promise<number | NodeJS.Signals> {
    while (!this.#ended) await this.#news('its end')
    return this.child.exitCode ?? this.child.signalCode ?? -1
  }

  /** Stops the program and waits for its exit. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#ended) return
    this.child.kill(signal)
    const killer = setTimeout(() => this.child.kill('SIGKILL'), 10_000)
    await this.exit()
    clearTimeout(killer)
  }

  #news(what: string): Promise<void> {
    if (this.#ended && what !== 'its end') {
      throw new Error(`wait for ${what} of ${this.#name}: it exited with ${this.child.exitCode}: ${this.#stderr}`)
    }
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#onLine = undefined
        reject(new Error(`wait for ${what} of ${this.#name}: not within ${this.#patienceMs} ms: ${this.#stderr}`))
      }, this.#patienceMs)
      this.#onLine = () => {
        this.#onLine = undefined
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** Starts a program. */
export async function startProgram(
  path: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Program> {
  const child = spawn(path, args, {
    stdio: 'pipe',
    env: { ...process.env, ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
  })
  const program = new Program(path, child, options.patienceMs)
  await once(child, 'spawn')
  return program
}
