/** Asks a port again and again, each time on a new connection, and counts what was not answered. */

import { request as httpRequest, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { PATIENCE_MS } from './patience.ts'
import { until } from './settle.ts'

/** `reset`: the connection was there, but ended without an answer. */
export type PortAnswer = 'answered' | 'refused' | 'reset'

/** Milliseconds between two questions. */
const PACE_MS = 5

interface AskOptions {
  readonly ca?: string | undefined
  /** Default: loopback. */
  readonly host?: string
}

export class PortWatch {
  readonly #ask: () => Promise<PortAnswer>
  #answered = 0
  #refused = 0
  #reset = 0
  #lost = 0
  #isOver = false
  #running: Promise<void> = Promise.resolve()

  private constructor(ask: () => Promise<PortAnswer>) {
    this.#ask = ask
  }

  static start(ask: () => Promise<PortAnswer>): PortWatch {
    const watch = new PortWatch(ask)
    watch.#running = watch.#run()
    return watch
  }

  /** Asks over TLS with a CA. */
  static http(port: number, path: string, { ca, host = '127.0.0.1' }: AskOptions = {}): Promise<PortAnswer> {
    const options: RequestOptions = { host, port, path, agent: false, timeout: PATIENCE_MS }
    return new Promise((resolve, reject) => {
      const sent = ca === undefined ? httpRequest(options) : httpsRequest({ ...options, ca, servername: 'localhost' })
      sent.on('response', response => response.resume().on('end', () => resolve('answered')))
      sent.on('timeout', () => reject(new Error(`ask port ${port}: no answer within ${PATIENCE_MS} ms`)))
      sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED' ? 'refused' : 'reset'))
      sent.end()
    })
  }

  /** Waits for so many more answers. */
  async answers(more: number): Promise<void> {
    const wanted = this.#answered + more
    await until(() => this.#answered >= wanted, `${more} more answers`)
  }

  /** Connections refused and reset, and questions that a second connection did not answer either. */
  async stop(): Promise<{ readonly refused: number; readonly reset: number; readonly lost: number }> {
    this.#isOver = true
    await this.#running
    return { refused: this.#refused, reset: this.#reset, lost: this.#lost }
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const first = await this.#tryAsk()
      if (first === 'reset') this.#reset++
      // What the system had accepted when the socket closed is reset; clients then connect again.
      const answer = first === 'reset' ? await this.#tryAsk() : first
      if (answer === 'answered') this.#answered++
      else if (answer === 'refused') this.#refused++
      else this.#lost++
      await new Promise(resolve => setTimeout(resolve, PACE_MS))
    }
  }

  #tryAsk(): Promise<PortAnswer> {
    return this.#ask().catch(() => 'reset' as const)
  }
}
