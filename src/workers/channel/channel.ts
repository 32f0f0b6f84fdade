/**
 * Messages between coordinator and worker, several per post.
 *
 * Each side counts the posts it has handled and reports the count with its own: so each knows what the other knows.
 */

import { Fifo } from '../../lib/collections/fifo.ts'
import type { Port, TransferHandle } from './port.ts'

/** What one side sends at once. */
export interface Post<M> {
  readonly messages: readonly M[]
  /** Posts of the other side handled before this one was made. */
  readonly handled: number
  /** Asks the other side to report when it has handled this one, even if it has nothing else to send. */
  readonly wantsAnswer: boolean
}

export class Channel<Out, In> {
  readonly #port: Port<Post<Out>, Post<In>>
  #messages: Out[] = []
  #handed: TransferHandle[] = []
  #posted = 0
  #handled = 0
  #heard = 0
  /** The count reported by the post being handled. */
  #hearing = 0
  #wantsAnswer = false
  #isScheduled = false
  #isClosed = false
  /** Ordered by post. */
  readonly #waiting = new Fifo<{ readonly post: number; readonly fn: () => void }>()

  constructor(port: Port<Post<Out>, Post<In>>) {
    this.#port = port
  }

  /** Posts of the other side that have been handled. */
  get handled(): number {
    return this.#handled
  }

  /** Posts of ours that the other side is known to have handled; everything it sent before that has been handled here. */
  get heard(): number {
    return this.#heard
  }

  /** The number of the post that carries a message sent now. */
  get nextPost(): number {
    return this.#posted + 1
  }

  /** Whether the other side has handled everything sent. */
  get isHeard(): boolean {
    return this.#messages.length === 0 && this.#hearing >= this.#posted
  }

  /** Starts delivering messages. */
  open(handle: (message: In) => void): void {
    this.#port.open(({ messages, handled, wantsAnswer }) => {
      this.#hearing = handled
      for (const message of messages) handle(message)
      this.#heard = handled
      this.#handled++
      this.#callKnown()
      if (wantsAnswer) this.#schedule()
    })
  }

  /** Sends a message, together with all others of the same callback. */
  send(message: Out, handed: readonly TransferHandle[] = []): void {
    this.#messages.push(message)
    this.#handed.push(...handed)
    this.#schedule()
  }

  /** Calls `fn` once the other side has handled everything sent so far, or is gone. */
  whenHandled(fn: () => void): void {
    if (this.#isClosed) {
      fn()
      return
    }
    this.#waiting.push({ post: this.nextPost, fn })
    this.#wantsAnswer = true
    this.#schedule()
  }

  /** The other side is gone. */
  close(): void {
    this.#isClosed = true
    this.#heard = Number.POSITIVE_INFINITY
    this.#port.close()
    this.#callKnown()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return
    this.#isScheduled = true
    queueMicrotask(() => this.#post())
  }

  #post(): void {
    this.#isScheduled = false
    if (this.#isClosed) return
    const post = { messages: this.#messages, handled: this.#handled, wantsAnswer: this.#wantsAnswer }
    const handed = this.#handed
    this.#messages = []
    this.#handed = []
    this.#wantsAnswer = false
    this.#posted++
    this.#port.post(post, handed)
  }

  #callKnown(): void {
    for (;;) {
      const first = this.#waiting.at(0)
      if (first === undefined || first.post > this.#heard) return
      this.#waiting.take()
      first.fn()
    }
  }
}
