/** A link between two simulated relays: opened by a packet, in order; packets in transit are lost with it. */

import { LINK_CHECK_MS, LINK_RETRY_MAX_MS, LINK_RETRY_MIN_MS } from '../backplane/limits.ts'
import type { LinkEvents } from '../backplane/members.ts'
import type { RegionLink } from '../backplane/neighbour.ts'
import type { RelayId } from '../backplane/stamp.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import { writeFrameHeader } from '../protocol/encode.ts'
import { FrameType } from '../protocol/frame-type.ts'
import type { PacketSource } from '../server/ports.ts'
import type { Network } from './network.ts'

/** The relay at the other end. */
export interface LinkEnd {
  /** Changes each time the relay starts, which closes the link. */
  readonly life: number
  /** Handles a ForwardPacket frame; returns the key if the packet was misrouted. */
  takeForwarded(from: NodePublicKey, frame: Uint8Array): NodePublicKey | undefined
}

/** Dependencies of a simulated link. */
export interface SimLinkPorts {
  readonly network: Network
  readonly from: { readonly id: RelayId; readonly key: NodePublicKey }
  readonly to: RelayId
  /** The relay at the other end; undefined while it is not running. */
  end(): LinkEnd | undefined
}

export class SimLink implements RegionLink {
  readonly local: undefined
  readonly #ports: SimLinkPorts
  readonly #events: LinkEvents
  readonly #path: string
  #waiting: Uint8Array[] = []
  /** Packets that have not arrived at the other end. */
  #underWay = 0
  #state: 'closed' | 'opening' | 'up' | 'pausing' | 'ended' = 'closed'
  #failures = 0
  /** Number of the connection; packets on earlier ones are lost. */
  #connection = 0
  #endLife = 0
  /** Packets lost with a connection, or not sent. */
  dropped = 0

  constructor(ports: SimLinkPorts, events: LinkEvents) {
    this.#ports = ports
    this.#events = events
    this.#path = `link ${ports.from.id} ${ports.to}`
  }

  get isUp(): boolean {
    return this.#state === 'up'
  }

  takeSendPacket({ key }: PacketSource, buffer: Uint8Array, start: number, end: number): void {
    if (this.#state === 'ended' || this.#state === 'pausing') {
      this.dropped++
      return
    }
    const bodyAt = start + FRAME_HEADER_LENGTH
    const frame = new Uint8Array(end - start + KEY_LENGTH)
    writeFrameHeader(frame, 0, FrameType.ForwardPacket, frame.length - FRAME_HEADER_LENGTH)
    frame.set(key.bytes, FRAME_HEADER_LENGTH)
    frame.set(buffer.subarray(bodyAt, end), FRAME_HEADER_LENGTH + KEY_LENGTH)
    if (this.#state === 'up') {
      this.#send(frame)
      return
    }
    this.#waiting.push(frame)
    if (this.#state === 'closed') this.#open()
  }

  /** Loses the connection; after a pause, the next packet opens another. */
  cut(): void {
    if (this.#state !== 'opening' && this.#state !== 'up') return
    this.#end('pausing')
    const connection = this.#connection
    const pauseMs = Math.min(LINK_RETRY_MAX_MS, LINK_RETRY_MIN_MS * 2 ** this.#failures++)
    this.#ports.network.clock.after(pauseMs, () => {
      if (this.#state === 'pausing' && connection === this.#connection) this.#state = 'closed'
    })
  }

  check(): void {
    if (this.#state !== 'up') return
    const { network, from, to } = this.#ports
    const connection = this.#connection
    network.clock.after(LINK_CHECK_MS, () => {
      const isAlive = network.canLink(from.id, to) && this.#ports.end()?.life === this.#endLife
      if (!isAlive && connection === this.#connection) this.cut()
    })
  }

  /** Closes a link without packets in transit, as for an idle one. */
  closeIfIdle(): void {
    if (this.#state === 'up' && this.#underWay === 0) this.#end('closed')
  }

  close(): void {
    this.#end('ended')
  }

  #open(): void {
    const { network, from, to } = this.#ports
    this.#state = 'opening'
    const connection = ++this.#connection
    network.clock.after(network.delayMs() * 4, () => {
      if (connection !== this.#connection) return
      const end = this.#ports.end()
      if (end === undefined || !network.canLink(from.id, to)) {
        this.cut()
        return
      }
      this.#endLife = end.life
      this.#state = 'up'
      this.#failures = 0
      for (const frame of this.#waiting.splice(0)) this.#send(frame)
    })
  }

  #send(frame: Uint8Array): void {
    const connection = this.#connection
    this.#underWay++
    this.#ports.network.arrive(this.#path, () => {
      if (connection !== this.#connection) return
      const end = this.#ports.end()
      if (end === undefined || end.life !== this.#endLife) {
        this.cut()
        return
      }
      this.#underWay--
      const astray = end.takeForwarded(this.#ports.from.key, frame)
      if (astray !== undefined) this.#answer(astray)
    })
  }

  #end(state: 'closed' | 'pausing' | 'ended'): void {
    this.#state = state
    this.#connection++
    this.dropped += this.#underWay + this.#waiting.length
    this.#underWay = 0
    this.#waiting = []
  }

  #answer(astray: NodePublicKey): void {
    const connection = this.#connection
    this.#ports.network.arrive(`${this.#path} back`, () => {
      if (connection === this.#connection) this.#events.onNotHere(astray)
    })
  }
}
