/** RPC between two threads over a port, in both directions. Arguments and results are cloned. */

import type { MessagePort, Worker } from 'node:worker_threads'

type CallPort = MessagePort | Worker

/** Methods that a thread serves. */
export type Callable<T> = { readonly [K in keyof T]: (...args: never[]) => unknown }

type Message =
  | { readonly type: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly message: string; readonly code: unknown }

/** @typeParam Remote methods of the other thread. */
export class ThreadCalls<Remote extends Callable<Remote>> {
  readonly #port: CallPort
  readonly #local: ReadonlyMap<string, (...args: unknown[]) => unknown>
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  #isClosed = false

  /**
   * @param port carries nothing else; the caller opens and closes it.
   * @param local methods that this thread serves: own properties only.
   */
  constructor(port: CallPort, local: object) {
    this.#port = port
    this.#local = new Map(Object.entries(local))
    port.on('message', (message: Message) => this.#onMessage(message))
  }

  /** Calls the other thread. Rejects with its error's message and code, or when it has ended. */
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

  /** Call when the other thread has ended: rejects all calls, pending and future. */
  close(): void {
    this.#isClosed = true
    for (const waiting of this.#waiting.values()) waiting.reject(ended('method'))
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
      const method = this.#local.get(name)
      if (method === undefined) throw new TypeError(`call thread's ${name}: no such method`)
      const value = await method(...args)
      this.#post({ type: 'result', id, value })
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException
      this.#post({ type: 'failure', id, message, code })
    }
  }
}

function ended(name: string): Error {
  return new Error(`call thread's ${name}: the thread has ended`)
}
