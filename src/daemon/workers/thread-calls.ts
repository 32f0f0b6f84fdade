/** Calls from one thread to another over a port, both ways. Arguments and results are copied. */

import type { MessagePort, Worker } from 'node:worker_threads'

/** A port, or a thread, which has one of its own. */
type CallPort = MessagePort | Worker

/** What a thread can be asked, by name. */
export type Callable<T> = { readonly [K in keyof T]: (...args: never[]) => unknown }

type Message =
  | { readonly type: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly message: string; readonly code: unknown }

/** @typeParam Remote what the other thread can be asked. */
export class ThreadCalls<Remote extends Callable<Remote>> {
  readonly #port: CallPort
  readonly #local: ReadonlyMap<string, (...args: unknown[]) => unknown>
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  #isClosed = false

  /**
   * @param port which carries nothing else; opening and closing it is the caller's.
   * @param local what this thread can be asked: by its own properties.
   */
  constructor(port: CallPort, local: object) {
    this.#port = port
    this.#local = new Map(Object.entries(local))
    port.on('message', (message: Message) => this.#onMessage(message))
  }

  /** Asks the other thread. Rejects as it does, with message and code, or when it has ended. */
  call<K extends keyof Remote & string>(
    name: K,
    ...args: Parameters<Remote[K]>
  ): Promise<Awaited<ReturnType<Remote[K]>>> {
    const id = ++this.#lastId
    const answer = Promise.withResolvers<unknown>()
    if (this.#isClosed) answer.reject(ended(name))
    else {
      this.#waiting.set(id, answer)
      this.#post({ type: 'call', id, name, args })
    }
    return answer.promise as Promise<Awaited<ReturnType<Remote[K]>>>
  }

  /** The other thread has ended: nothing is answered any more. */
  close(): void {
    this.#isClosed = true
    for (const waiting of this.#waiting.values()) waiting.reject(ended('an answer'))
    this.#waiting.clear()
  }

  #post(message: Message): void {
    this.#port.postMessage(message, [])
  }

  #onMessage(message: Message): void {
    if (message.type === 'call') {
      void this.#answer(message.id, message.name, message.args)
      return
    }
    const waiting = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.type === 'result') waiting?.resolve(message.value)
    else waiting?.reject(Object.assign(new Error(message.message), { code: message.code }))
  }

  async #answer(id: number, name: string, args: readonly unknown[]): Promise<void> {
    try {
      const asked = this.#local.get(name)
      if (asked === undefined) throw new TypeError(`ask thread for ${name}: it knows no such call`)
      const value = await asked(...args)
      this.#post({ type: 'result', id, value })
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException
      this.#post({ type: 'failure', id, message, code })
    }
  }
}

function ended(what: string): Error {
  return new Error(`ask thread for ${what}: it has ended`)
}
