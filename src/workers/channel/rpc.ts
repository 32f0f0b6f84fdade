/** Requests and responses over a {@link Channel}. */

import { DerpError } from '../../lib/derp-error.ts'

/** Requests of one side, by name. */
export type Questions<Q> = { readonly [Name in keyof Q]: { readonly question: unknown; readonly answer: unknown } }

/** A request in transit. */
export type Asked<Q extends Questions<Q>> = {
  readonly [Name in keyof Q]: {
    readonly type: 'ask'
    readonly name: Name
    readonly id: number
    readonly question: Q[Name]['question']
  }
}[keyof Q]

/** A response in transit. */
export interface Answered {
  readonly type: 'answer'
  readonly id: number
  readonly answer: unknown
}

/** A response per request; it may be a promise, which must not reject. */
export type Answers<Q extends Questions<Q>> = {
  readonly [Name in keyof Q]: (
    question: Q[Name]['question'],
    answer: (answer: Q[Name]['answer']) => void,
  ) => void | Promise<void>
}

/** Answers one request. */
export function serveRpc<Q extends Questions<Q>>(
  answers: Answers<Q>,
  { name, id, question }: Asked<Q>,
  send: (answered: Answered) => void,
): void {
  void answers[name](question, answer => send({ type: 'answer', id, answer }))
}

interface Asker {
  readonly onAnswer: (answer: unknown) => void
  readonly reject: (error: DerpError) => void
}

export class RpcClient<Q extends Questions<Q>> {
  readonly #send: (asked: Asked<Q>) => void
  readonly #open = new Map<number, Asker>()
  #lastId = 0
  #isClosed = false

  constructor(send: (asked: Asked<Q>) => void) {
    this.#send = send
  }

  /** Rejects if the other side is gone. */
  async ask<Name extends keyof Q>(name: Name, question: Q[Name]['question']): Promise<Q[Name]['answer']> {
    const { promise, resolve } = Promise.withResolvers<Q[Name]['answer']>()
    await this.callInOrder(name, question, resolve)
    return promise
  }

  /** The same, calling `take` with the answer before any later message is handled. */
  callInOrder<Name extends keyof Q>(
    name: Name,
    question: Q[Name]['question'],
    take: (answer: Q[Name]['answer']) => void,
  ): Promise<void> {
    if (this.#isClosed) return Promise.reject(gone(name))
    const id = ++this.#lastId
    return new Promise((resolve, reject) => {
      const onAnswer = (answer: unknown) => {
        take(answer)
        resolve()
      }
      this.#open.set(id, { onAnswer, reject })
      // The union has a member with this name and question.
      this.#send({ type: 'ask', name, id, question } as Asked<Q>)
    })
  }

  /** Handles a response. */
  settle({ id, answer }: Answered): void {
    this.#open.get(id)?.onAnswer(answer)
    this.#open.delete(id)
  }

  /** The other side is gone. */
  close(): void {
    this.#isClosed = true
    for (const { reject } of this.#open.values()) reject(gone('question'))
    this.#open.clear()
  }
}

function gone(what: PropertyKey): DerpError {
  return new DerpError('ERR_DERP_RELAY_CLOSED', `ask ${String(what)}: the other thread is gone`)
}
