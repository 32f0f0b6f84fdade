/** Calls from one thread to another over a port, both ways. Arguments and results are copied. */

import type { MessagePort } from 'node:worker_threads'

/** What a thread can be asked, by name. */
export type Callable<T> = { readonly [K in keyof T]: (...args: never[]) => unknown }

type Message =
  | { readonly type: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly type: 'result'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly message: string; readonly code: unknown }

/** @typeParam Remote what the other thread can be asked. */
export class ThreadCalls<Remote extends Callable<Remote>> {
  readonly #port: MessagePort
  readonly #local: ReadonlyMap<string, (...args: unknown[]) => unknown>
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>()
  #lastId = 0
  #isClosed = false

  /**
   * @param port which alone keeps no thread alive.
   * @param local what this thread can be asked: by its own properties.
   */
  constructor(port: MessagePort, local: object) {
    this.#port = port
    this.#local = new Map(Object.entries(local))
    port.on('message', (message: Message) => this.#onMessage(message))
    // An answer that cannot be copied.
    port.on('messageerror', () => port.close())
    port.on('close', () => this.#onClose())
    port.unref()
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
      this.#port.postMessage({ type: 'call', id, name, args } satisfies Message)
    }
    return answer.promise as Promise<Awaited<ReturnType<Remote[K]>>>
  }

  /** Ends calls both ways. */
  close(): void {
    this.#port.close()
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
      this.#port.postMessage({ type: 'result', id, value } satisfies Message)
    } catch (error) {
      const { message, code } = error as NodeJS.ErrnoException
      this.#port.postMessage({ type: 'failure', id, message, code } satisfies Message)
    }
  }

  #onClose(): void {
    this.#isClosed = true
    for (const waiting of this.#waiting.values()) waiting.reject(ended('an answer'))
    this.#waiting.clear()
  }
}

function ended(what: string): Error {
  return new Error(`ask thread for ${what}: it has ended`)
}
