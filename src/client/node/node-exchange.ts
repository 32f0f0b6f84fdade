/** Asks over a fresh connection and reads the answer's head, which turns the connection into something else. */

import type { Duplex } from 'node:stream'
import { abortedError, onAbort } from '../../lib/abort.ts'
import type { Clock, Timer } from '../../lib/clock.ts'

/** Reads the answer; both of its methods throw what the connection is given up with. */
export interface AnswerReader {
  /** Gives what follows the head of a good answer; undefined when more is needed. */
  push(chunk: Uint8Array): Uint8Array | undefined
  /** No more will come. */
  end(): never
  /** Whether only the body of a bad answer is missing, which is not worth long waiting. */
  readonly isRefusal?: boolean
}

export interface Exchange {
  readonly request: Uint8Array
  readonly answer: AnswerReader
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Milliseconds for the body of a refusal, which only explains it. */
const REFUSAL_TIMEOUT_MS = 1_000

/**
 * Sends the request and waits for a good answer; the socket is destroyed when there is none.
 *
 * @returns the bytes that came behind the head; nothing is read from the socket after them.
 */
export function exchange(socket: Duplex, plan: Exchange): Promise<Uint8Array> {
  return new Exchanging(socket, plan).run()
}

class Exchanging {
  readonly #socket: Duplex
  readonly #plan: Exchange
  readonly #outcome = Promise.withResolvers<Uint8Array>()
  #timer: Timer | undefined

  constructor(socket: Duplex, plan: Exchange) {
    this.#socket = socket
    this.#plan = plan
  }

  async run(): Promise<Uint8Array> {
    const socket = this.#socket
    const { request, signal } = this.#plan
    const stopListening = onAbort(signal, aborted => this.#fail(abortedError('await answer', aborted)))
    socket.on('readable', this.#onReadable)
    socket.on('end', this.#onEnd)
    socket.on('error', this.#fail)
    socket.on('close', this.#onEnd)
    if (socket.destroyed) this.#onEnd()
    else socket.write(request)
    try {
      return await this.#outcome.promise
    } finally {
      stopListening()
    }
  }

  readonly #onReadable = (): void => {
    const { answer, clock } = this.#plan
    try {
      for (let chunk = this.#read(); chunk !== undefined; chunk = this.#read()) {
        const rest = answer.push(chunk)
        if (rest === undefined) continue
        this.#stop()
        this.#outcome.resolve(rest)
        return
      }
    } catch (error) {
      this.#fail(error)
      return
    }
    if (answer.isRefusal) this.#timer ??= clock.after(REFUSAL_TIMEOUT_MS, this.#onEnd)
  }

  readonly #onEnd = (): void => {
    try {
      this.#plan.answer.end()
    } catch (error) {
      this.#fail(error)
    }
  }

  readonly #fail = (error: unknown): void => {
    this.#stop()
    this.#socket.destroy()
    this.#outcome.reject(error)
  }

  #read(): Uint8Array | undefined {
    return (this.#socket.read() as Uint8Array | null) ?? undefined
  }

  #stop(): void {
    this.#timer?.cancel()
    const socket = this.#socket
    // Taking 'readable' away leaves the socket neither flowing nor paused: the next reader starts it.
    socket.off('readable', this.#onReadable)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#fail)
    socket.off('close', this.#onEnd)
  }
}
