/**
 * Sends packets to the clients of one relay, over a connection opened by the first packet and closed when idle.
 *
 * Clauses: P-311 misrouted packets, P-316 and P-319 checks, P-319 links on demand.
 */

import type { Clock, Timer } from '../lib/clock.ts'
import { SYSTEM_TRUST_FIXES, withFixes } from '../lib/connection-fault.ts'
import { DerpError, isDerpError } from '../lib/derp-error.ts'
import type { Log } from '../lib/log.ts'
import type { DialLink, LinkConnection } from '../mesh/dial-link.ts'
import { ForwardSender } from '../mesh/forward-sender.ts'
import type { MeshLinkCounters } from '../metrics/mesh-counters.ts'
import { PING_LENGTH } from '../protocol/constants.ts'
import { PeerGoneReason } from '../protocol/messages.ts'
import type { PacketSource } from '../server/ports.ts'
import { LINK_CHECK_MS, LINK_IDLE_MS, LINK_LOOK_MS, LINK_RETRY_MAX_MS, LINK_RETRY_MIN_MS } from './limits.ts'
import type { LinkEvents } from './members.ts'
import type { RegionLink } from './neighbour.ts'
import { type RelayId, relayIdOf } from './stamp.ts'

export interface LinkPorts {
  readonly dial: DialLink
  readonly counters: MeshLinkCounters
  readonly clock: Clock
  readonly log: Log
}

export class OnDemandLink implements RegionLink {
  /** Packets are never forwarded twice. */
  readonly local: undefined
  readonly #relay: { readonly id: RelayId; readonly url: string }
  readonly #ports: LinkPorts
  readonly #events: LinkEvents
  readonly #queue: ForwardSender
  readonly #closing = new AbortController()
  #state: 'closed' | 'opening' | 'up' | 'pausing' = 'closed'
  #connection: LinkConnection | undefined
  /** Number of connection attempts. */
  #runs = 0
  #failures = 0
  /** Used since the last look. */
  #isUsed = false
  /** Looks since it was last used. */
  #idleLooks = 0
  #timer: Timer | undefined
  /** Runs while a check is pending. */
  #check: Timer | undefined

  constructor(relay: { readonly id: RelayId; readonly url: string }, ports: LinkPorts, events: LinkEvents) {
    this.#relay = relay
    this.#ports = ports
    this.#events = events
    this.#queue = new ForwardSender(ports.counters, ports.clock, () => this.#isComing())
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number, end: number): void {
    this.#isUsed = true
    this.#queue.takeSendPacket(source, buffer, start, end)
  }

  check(): void {
    const connection = this.#connection
    if (connection === undefined || this.#check !== undefined) return
    this.#check = this.#ports.clock.after(LINK_CHECK_MS, () => this.#fail(silent()))
    // Any message is an answer, so the payload does not matter. A failed write ends the connection, which reports it.
    connection.sendPing(new Uint8Array(PING_LENGTH)).catch(() => {})
  }

  close(): void {
    this.#closing.abort()
    this.#goDown('closed')
  }

  /** Opens a connection for a packet, unless an attempt has just failed. */
  #isComing(): boolean {
    if (this.#closing.signal.aborted || this.#state === 'pausing') return false
    if (this.#state === 'closed') void this.#run()
    return true
  }

  /** Runs from the first packet until the connection is closed. Never rejects. */
  async #run(): Promise<void> {
    const run = ++this.#runs
    this.#state = 'opening'
    let connection: LinkConnection | undefined
    try {
      connection = await this.#ports.dial(this.#relay.url, this.#closing.signal)
      this.#begin(connection)
      await this.#receive(connection)
    } catch (error) {
      connection?.close()
      // An attempt that was abandoned, possibly replaced by another, is not a failure.
      if (run === this.#runs && (this.#state === 'opening' || this.#state === 'up')) this.#fail(error)
    }
  }

  /** @throws Error if it reached the wrong relay, or is no longer needed. */
  #begin(connection: LinkConnection): void {
    this.#closing.signal.throwIfAborted()
    const { id, url } = this.#relay
    const reached = relayIdOf(connection.serverKey)
    if (reached !== id)
      throw new Error(`open link to relay ${id}: ${url} leads to relay ${reached}; see its -region-url`)
    this.#state = 'up'
    this.#failures = 0
    this.#connection = connection
    this.#ports.counters.connects++
    this.#queue.use(connection)
    this.#idleLooks = 0
    this.#isUsed = false
    this.#watch()
  }

  async #receive(connection: LinkConnection): Promise<never> {
    for (;;) {
      const message = await connection.recv()
      this.#endCheck()
      if (message.type === 'peerGone' && message.reason === PeerGoneReason.NotHere) this.#events.onNotHere(message.peer)
    }
  }

  /** Checks a connection in use: the system detects a dead one late, and retransmits ever more slowly. */
  #watch(): void {
    this.#timer = this.#ports.clock.after(LINK_LOOK_MS, () => {
      if (this.#isUsed) this.#idleLooks = 0
      else this.#idleLooks++
      if (this.#idleLooks * LINK_LOOK_MS >= LINK_IDLE_MS) {
        // No packet is lost: it is idle.
        this.#goDown('closed')
        return
      }
      if (this.#isUsed) this.check()
      this.#isUsed = false
      this.#watch()
    })
  }

  #fail(error: unknown): void {
    this.#goDown('pausing')
    if (this.#failures++ === 0) {
      const code = isDerpError(error) ? error.code : undefined
      const reason = withFixes((error as Error).message, SYSTEM_TRUST_FIXES)
      this.#ports.log.warn('region link is down', { relay: this.#relay.id, code, reason })
    }
    const pauseMs = Math.min(LINK_RETRY_MAX_MS, LINK_RETRY_MIN_MS * 2 ** (this.#failures - 1))
    this.#timer = this.#ports.clock.after(pauseMs, () => {
      this.#state = 'closed'
    })
  }

  #endCheck(): void {
    this.#check?.cancel()
    this.#check = undefined
  }

  #goDown(state: 'closed' | 'pausing'): void {
    this.#timer?.cancel()
    this.#endCheck()
    this.#state = state
    const connection = this.#connection
    this.#connection = undefined
    this.#queue.use(undefined)
    connection?.close()
  }
}

function silent(): DerpError {
  return new DerpError('ERR_DERP_PING_TIMEOUT', `check link: nothing received in ${LINK_CHECK_MS} ms`, {
    clause: 'P-316',
  })
}
