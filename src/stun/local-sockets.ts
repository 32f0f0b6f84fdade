/**
 * Sockets for single addresses of this machine, beside the one that is bound to all (P-188).
 *
 * No runtime tells to which address a datagram was sent, and the system sends responses from the address that it would
 * use itself. With several addresses that may be another one, and a client behind NAT never gets the response.
 */

import { networkInterfaces } from 'node:os'
import type { Clock, Timer } from '../lib/clock.ts'

/** Milliseconds until a new address gets its socket. */
const POLL_MS = 2_000
/** Temporary IPv6 addresses can be many; the socket for all addresses serves the others. */
const MAX_SOCKETS = 64

/** Addresses that datagrams of others may be sent to. Default for tests to replace: those of all interfaces. */
export type ReadAddresses = () => readonly string[]

interface Closable {
  close(): unknown
}

export interface LocalSocketsOptions {
  readonly readAddresses: ReadAddresses
  readonly clock: Clock
  /** Binds a socket that already receives. Rejects if the address is not there any more. */
  readonly open: (address: string) => Promise<Closable>
}

export class LocalSockets {
  readonly #options: LocalSocketsOptions
  readonly #sockets = new Map<string, Closable>()
  #timer: Timer | undefined
  #looking: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(options: LocalSocketsOptions) {
    this.#options = options
  }

  /** Resolves once all current addresses have their sockets; follows changes from then on. */
  async start(): Promise<void> {
    this.#looking = this.#look()
    await this.#looking
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#timer?.cancel()
    await this.#looking
    for (const socket of this.#sockets.values()) socket.close()
    this.#sockets.clear()
  }

  async #look(): Promise<void> {
    const wanted = new Set(ambiguous(this.#options.readAddresses()).slice(0, MAX_SOCKETS))
    for (const [address, socket] of this.#sockets) {
      if (wanted.has(address)) continue
      this.#sockets.delete(address)
      socket.close()
    }
    for (const address of wanted) if (!this.#sockets.has(address)) await this.#open(address)
    if (this.#isClosed) return
    this.#timer = this.#options.clock.after(POLL_MS, () => {
      this.#looking = this.#look()
    })
  }

  /** Where this fails, the socket for all addresses is used; the next check tries again. */
  async #open(address: string): Promise<void> {
    const socket = await this.#options.open(address).catch(() => undefined)
    if (socket !== undefined) this.#sockets.set(address, socket)
  }
}

/** The addresses of families with several: a single one is used for responses anyway. */
function ambiguous(addresses: readonly string[]): string[] {
  const families = [
    addresses.filter(address => !address.includes(':')),
    addresses.filter(address => address.includes(':')),
  ]
  return families.flatMap(family => (family.length > 1 ? family : []))
}

/** Others reach neither loopback nor link-local addresses, which also need a zone. */
export function reachableAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap(found => found ?? [])
  return all.flatMap(({ address, internal }) => (internal || /^fe80:/i.test(address) ? [] : [address]))
}
