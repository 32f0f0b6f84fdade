/** TCP without a network: addresses of documentation lead to loopback, or nowhere. */

import type { Socket } from 'node:net'
import { openTcp } from '../../src/client/node/node-socket.ts'
import type { Network } from '../../src/client/node/node-tcp.ts'

/** Where an address leads: to a port of loopback, to a refusal, or into silence. */
export type Fate = number | 'refused' | 'silent'

export class FatefulNetwork {
  /** Addresses with ports that were dialled, in order, such as `192.0.2.1 443`. */
  readonly dialled: string[] = []
  /** Dials into silence that nobody has given up. */
  waiting = 0
  readonly #fates: Readonly<Record<string, Fate>>

  /** @param fates by address; any other is refused. */
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
