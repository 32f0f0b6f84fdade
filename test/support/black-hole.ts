/** TCP without a network: documentation addresses lead to loopback, or nowhere. */

import type { Socket } from 'node:net'
import { openTcp } from '../../src/client/node/node-socket.ts'
import type { Network } from '../../src/client/node/node-tcp.ts'

/** What happens to a dial: a loopback port, a refusal, or silence. */
export type Fate = number | 'refused' | 'silent'

export class FatefulNetwork {
  /** Dialled addresses with ports, in order, such as `192.0.2.1 443`. */
  readonly dialled: string[] = []
  /** Pending dials of silent addresses. */
  waiting = 0
  readonly #fates: Readonly<Record<string, Fate>>

  /** @param fates by address; others are refused. */
  constructor(fates: Readonly<Record<string, Fate>>) {
    this.#fates = fates
  }

  readonly connect: NonNullable<Network['connect']> = (address, port, signal): Promise<Socket> => {
    this.dialled.push(`${address} ${port}`)
    const fate = this.#fates[address] ?? 'refused'
    if (typeof fate === 'number') return openTcp('127.0.0.1', fate, signal)
    if (fate === 'refused') return Promise.reject(new Error(`connect ECONNREFUSED ${address}`))
    this.waiting++
    return new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        this.waiting--
        reject(signal.reason)
      })
    })
  }
}
