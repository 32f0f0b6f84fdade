/** One relay's parts of a backplane; the test speaks for the other relays, and sees what they are told. */

import { decodeMessage } from '../../src/backplane/decode.ts'
import { encodeMessage } from '../../src/backplane/encode.ts'
import type { Beat, InMessage, OutMessage } from '../../src/backplane/message.ts'
import type { Neighbour } from '../../src/backplane/neighbour.ts'
import { BackplaneParts } from '../../src/backplane/parts.ts'
import type { RelayId } from '../../src/backplane/stamp.ts'
import { NodePublicKey } from '../../src/keys/node-key.ts'
import { type LogFields, silentLog } from '../../src/lib/log.ts'
import { RegionCounters } from '../../src/metrics/region-counters.ts'
import type { RegionHost } from '../../src/server/region-ports.ts'
import { FakeClock } from './fake-clock.ts'

/** Ticks of a relay's clock per millisecond (P-302). */
const TICKS_PER_MS = 2_048

/** The `n`th key of clients. */
export const scriptedKey = (n: number): NodePublicKey => NodePublicKey.fromBytes(new Uint8Array(32).fill(n))

export class ScriptedRegion {
  readonly clock: FakeClock = new FakeClock({ turns: 'manual' })
  readonly counters: RegionCounters = new RegionCounters()
  readonly parts: BackplaneParts
  readonly warnings: LogFields[] = []
  /** What the relay does to its clients, as text. */
  readonly done: string[] = []
  /** Whether the bus accepts messages. */
  accepts = true
  /** Whether clients are to be told when a key leaves the region. */
  isAwaited = false
  readonly #told: { to: string; message: InMessage }[] = []

  /** The relay has joined. */
  constructor() {
    this.parts = new BackplaneParts(
      {
        host: this.#createHost(),
        bus: {
          isUp: true,
          open: () => {},
          broadcast: (kind, bytes) => this.#take(kind, bytes),
          send: (to, bytes) => this.#take(to, bytes),
          close: async () => {},
        },
        openLink: () => ({ local: undefined, isUp: false, takeSendPacket() {}, check() {}, close() {} }),
        ownKey: NodePublicKey.fromBytes(new Uint8Array(32).fill(0xee)),
        url: 'https://own.test/derp',
        clock: this.clock,
        log: { ...silentLog, warn: (_, fields = {}) => void this.warnings.push(fields) },
      },
      { counters: this.counters, hasJoined: () => true, beat: () => {} },
    )
    this.parts.announcer.open()
    this.#told.length = 0
  }

  /** The present time of the relay's clock, moved by milliseconds. */
  time(aheadMs = 0): number {
    return (this.clock.wallNow() + aheadMs) * TICKS_PER_MS
  }

  /** A beat arrives; returns the relay that sent it. */
  beat(from: RelayId, { aheadMs = 0, ...beat }: Partial<Beat> & { aheadMs?: number } = {}): Neighbour {
    const time = this.time(aheadMs)
    const url = `https://${from}.test/derp`
    this.parts.inbox.onBeat(from, { type: 'beat', url, incarnation: 1, sequence: 0, time, ...beat }, true)
    return this.parts.members.get(from) as Neighbour
  }

  /** A broadcast arrives. */
  hear(from: RelayId, message: Exclude<OutMessage, Beat>): void {
    this.#deliver(from, message, false)
  }

  /** A message to this relay only arrives. */
  hearDirectly(from: RelayId, message: Exclude<OutMessage, Beat>): void {
    this.#deliver(from, message, true)
  }

  /** Messages of that type sent since the last look: their receivers or subjects, and the messages. */
  told<T extends InMessage['type']>(type: T): { to: string; message: Extract<InMessage, { type: T }> }[] {
    const told = this.#told.splice(0).filter(({ message }) => message.type === type)
    return told as { to: string; message: Extract<InMessage, { type: T }> }[]
  }

  #deliver(from: RelayId, message: Exclude<OutMessage, Beat>, isDirect: boolean): void {
    const received = decodeMessage(encodeMessage(message))
    if (received === undefined || received.type === 'beat') throw new Error(`deliver ${message.type}: cannot be read`)
    this.parts.inbox.take(from, received, isDirect)
  }

  #take(to: string, bytes: Uint8Array): boolean {
    const message = decodeMessage(bytes)
    if (this.accepts && message !== undefined) this.#told.push({ to, message })
    return this.accepts
  }

  #createHost(): RegionHost {
    const host: Partial<RegionHost> = {
      addLink: () => ({ size: 0, announce() {}, withdraw() {}, forget() {}, withdrawAll() {} }),
      isAwaited: () => this.isAwaited,
      keyLeft: ({ bytes }) => void this.done.push(`${bytes[0]} has left`),
      closePeer: ({ bytes }) => void this.done.push(`${bytes[0]} is closed`),
    }
    return host as RegionHost
  }
}
