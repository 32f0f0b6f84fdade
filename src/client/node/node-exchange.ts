/** Sends a request on a new connection and reads the response head, after which the protocol switches. */

import type { Duplex } from 'node:stream'
import { abortedError, onAbort } from '../../lib/abort.ts'
import type { Clock, Timer } from '../../lib/clock.ts'

/** Reads the response; both methods throw the error that ends the connection. */
export interface AnswerReader {
  /** Returns what follows the head of a successful response; undefined if more is needed. */
  push(chunk: Uint8Array): Uint8Array | undefined
  /** No more bytes will arrive. */
  end(): never
  /** Whether only the body of an error response is missing, which is not worth a long wait. */
  readonly isRefusal?: boolean
}

export interface Exchange {
  readonly request: Uint8Array
  readonly answer: AnswerReader
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Milliseconds for the body of a refusal, which is only explanatory. */
const REFUSAL_TIMEOUT_MS = 1_000

/**
 * Sends the request and waits for a successful response; otherwise the socket is destroyed.
 *
 * @returns the bytes after the head; nothing further is read from the socket.
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
    const stopListening = onAbort(signal, aborted => this.#fail(abortedError('await response', aborted)))
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
    // Removing 'readable' leaves the socket neither flowing nor paused: the next reader starts it.
    socket.off('readable', this.#onReadable)
    socket.off('end', this.#onEnd)
    socket.off('error', this.#fail)
    socket.off('close', this.#onEnd)
  }
}
