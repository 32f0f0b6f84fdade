/** Messages waiting for a receiver, and receivers waiting for a message. */

import { abortedError, onAbort } from '../lib/abort.ts'
import type { DerpError } from '../lib/derp-error.ts'

/** Assumed cost of a queued message besides its payload, in bytes. */
const MESSAGE_OVERHEAD_BYTES = 128

interface Queued<T> {
  readonly message: T
  readonly bytes: number
}

interface Receiver<T> {
  readonly resolve: (message: T) => void
  readonly reject: (error: DerpError) => void
}

/** First in, first out, bounded by bytes: the caller checks {@link isFull} before it pushes. */
export class ReceiveQueue<T> {
  readonly #limitBytes: number
  #queued: Queued<T>[] = []
  #head = 0
  #bytes = 0
  readonly #receivers = new Set<Receiver<T>>()
  #error: DerpError | undefined

  /** @param limitBytes the queue is full from here on; the message that reaches the limit is still accepted. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes
  }

  get isFull(): boolean {
    return this.#bytes >= this.#limitBytes
  }

  /** At most half full: time to read again. */
  get hasRoom(): boolean {
    return this.#bytes * 2 <= this.#limitBytes
  }

  /** Adds a message of `payloadBytes`, or passes it to the longest-waiting receiver. */
  push(message: T, payloadBytes: number): void {
    for (const receiver of this.#receivers) {
      this.#receivers.delete(receiver)
      receiver.resolve(message)
      return
    }
    const bytes = payloadBytes + MESSAGE_OVERHEAD_BYTES
    this.#queued.push({ message, bytes })
    this.#bytes += bytes
  }

  /** The oldest message, once there is one. An abort loses no message. */
  take(signal?: AbortSignal): Promise<T> {
    if (signal?.aborted) return Promise.reject(abortedError('receive', signal))
    const queued = this.#shift()
    if (queued !== undefined) return Promise.resolve(queued.message)
    if (this.#error !== undefined) return Promise.reject(this.#error)
    return new Promise((resolve, reject) => {
      const stopListening = onAbort(signal, aborted => {
        this.#receivers.delete(receiver)
        reject(abortedError('receive', aborted))
      })
      const receiver: Receiver<T> = {
        resolve: message => {
          stopListening()
          resolve(message)
        },
        reject: error => {
          stopListening()
          reject(error)
        },
      }
      this.#receivers.add(receiver)
    })
  }

  /** Fails all receivers once the queued messages have been taken. */
  fail(error: DerpError): void {
    this.#error ??= error
    for (const receiver of this.#receivers) receiver.reject(this.#error)
    this.#receivers.clear()
  }

  /** Discards all messages. */
  clear(): void {
    this.#queued = []
    this.#head = 0
    this.#bytes = 0
  }

  #shift(): Queued<T> | undefined {
    const queued = this.#queued[this.#head]
    if (queued === undefined) return undefined
    this.#bytes -= queued.bytes
    this.#head++
    // Taken messages are removed in bulk, so that each costs the same however long the queue is.
    if (this.#head * 2 >= this.#queued.length) {
      this.#queued = this.#queued.slice(this.#head)
      this.#head = 0
    }
    return queued
  }
}
