/** One relay's view of where keys are, with real routes and searches, and a record of what it does about them. */

import type { Announcer } from '../../src/backplane/announcer.ts'
import { Finder } from '../../src/backplane/finder.ts'
import type { HybridClock } from '../../src/backplane/hybrid-clock.ts'
import type { Inquiries } from '../../src/backplane/inquiries.ts'
import { KeyTimes } from '../../src/backplane/key-times.ts'
import { LocalKeys } from '../../src/backplane/local-keys.ts'
import type { Neighbour } from '../../src/backplane/neighbour.ts'
import { RouteCache } from '../../src/backplane/route-cache.ts'
import { relayIdOf } from '../../src/backplane/stamp.ts'
import { Whereabouts } from '../../src/backplane/whereabouts.ts'
import { NodePublicKey } from '../../src/keys/node-key.ts'
import { readUint32, writeUint32 } from '../../src/lib/bytes.ts'
import { RelayCounters } from '../../src/metrics/counters.ts'
import { RegionCounters } from '../../src/metrics/region-counters.ts'
import { FRAME_HEADER_LENGTH } from '../../src/protocol/constants.ts'
import type { Destination } from '../../src/server/ports.ts'
import type { FinderSource, RegionHost } from '../../src/server/region-ports.ts'
import type { Member } from '../../src/server/registry.ts'
import { FakeClock } from './fake-clock.ts'

/** Later times are too far ahead. */
export const LATEST_TIME = 1_000

export function keyOf(n: number): NodePublicKey {
  const bytes = new Uint8Array(32)
  writeUint32(bytes, 0, n)
  return NodePublicKey.fromBytes(bytes)
}

/** A key, or the bytes of one. */
function numberOf(key: NodePublicKey | Uint8Array, at = 0): number {
  return readUint32(key instanceof Uint8Array ? key : key.bytes, at)
}

interface Asked {
  readonly keys: readonly number[]
  readonly end: (isAnswered: boolean) => void
}

/** Keys are numbers, and so are times of logins. */
export class WhereaboutsScene {
  readonly clock: FakeClock = new FakeClock({ turns: 'manual' })
  readonly counters: RegionCounters = new RegionCounters()
  /** Keys with a client to be told when they leave. */
  readonly awaited: Set<number> = new Set()
  /** Keys for which {@link awaited} was read. */
  readonly awaitedReads: number[] = []
  readonly locals: LocalKeys = new LocalKeys()
  readonly routes: RouteCache
  readonly finder: Finder
  readonly whereabouts: Whereabouts
  readonly keyOfA: NodePublicKey = keyOf(0xaaaa0000)
  readonly a: Neighbour
  readonly b: Neighbour
  #events: string[] = []
  #asked: Asked[] = []
  #time = 0

  constructor() {
    const { clock, counters } = this
    this.a = this.#neighbour('A', this.keyOfA)
    this.b = this.#neighbour('B', keyOf(0xbbbb0000))
    const host = this.#host()
    this.routes = new RouteCache({ host, counters, onDoubt: key => this.whereabouts.doubt(key) })
    this.finder = new Finder({
      host,
      clock,
      counters,
      inquiries: {
        ask: (keys: readonly NodePublicKey[], end: Asked['end']) =>
          void this.#asked.push({ keys: keys.map(key => numberOf(key)), end }),
      } as unknown as Inquiries,
      canAsk: () => true,
      onNobody: key => this.whereabouts.nobodyHas(key),
      onFailed: () => {},
    })
    this.whereabouts = new Whereabouts({
      host,
      clock,
      counters,
      ownId: relayIdOf(keyOf(0x55550000)),
      times: { next: () => this.#time, hear: (time: number) => !(time > LATEST_TIME) } as HybridClock,
      locals: this.locals,
      routes: this.routes,
      finder: this.finder,
      announcer: {
        here: (key: NodePublicKey, time: number) => this.#note(`here ${numberOf(key)} since ${time}`),
        gone: (key: NodePublicKey, time: number) => this.#note(`gone ${numberOf(key)} since ${time}`),
      } as Announcer,
      relay: id => [this.a, this.b].find(relay => relay.id === id),
      supersede: (relay, key, time) =>
        this.#note(`tell ${relay === this.a ? 'A' : 'B'} of ${numberOf(key)} since ${time}`),
    })
  }

  /** What has happened since the last look. */
  take(): string[] {
    return this.#events.splice(0)
  }

  /** Searches since the last look, at the end of a turn. */
  takeAsked(): readonly Asked[] {
    this.clock.runTurn()
    return this.#asked.splice(0)
  }

  login(n: number, time: number): Member {
    const member: Member = { key: keyOf(n), remote: undefined, flags: 1 }
    this.#time = time
    this.whereabouts.loggedIn(member)
    return member
  }

  heard(from: Neighbour, ...keys: readonly (readonly [n: number, time: number])[]): void {
    this.whereabouts.heard(from, timesOf(keys))
  }

  gone(from: Neighbour, ...keys: readonly (readonly [n: number, time: number])[]): void {
    this.whereabouts.gone(from, timesOf(keys))
  }

  /** A relay has forwarded a packet from that key. */
  taught(by: NodePublicKey, n: number): void {
    this.whereabouts.taught(by, keyOf(n).bytes, 0)
  }

  /** A client sends a packet to a key without a route. */
  send(n: number): void {
    const frame = new Uint8Array(FRAME_HEADER_LENGTH + 40)
    frame.set(keyOf(n).bytes, FRAME_HEADER_LENGTH)
    this.finder.takeUnknown({ tellNotHere() {} } as unknown as FinderSource, frame, 0, frame.length, 'other')
  }

  #note(event: string): void {
    this.#events.push(event)
  }

  #host(): RegionHost {
    const take: Destination['takeSendPacket'] = (_source, buffer, start) =>
      this.#note(`packet to ${numberOf(buffer, start + FRAME_HEADER_LENGTH)}`)
    return {
      counters: new RelayCounters(),
      destinationOf: () => ({ local: undefined, takeSendPacket: take }),
      isAwaited: (bytes: Uint8Array, at: number) => {
        const n = numberOf(bytes, at)
        this.awaitedReads.push(n)
        return this.awaited.has(n)
      },
      keyLeft: (key: NodePublicKey) => this.#note(`left ${numberOf(key)}`),
    } as Partial<RegionHost> as RegionHost
  }

  #neighbour(name: string, key: NodePublicKey): Neighbour {
    const note = (verb: string) => (key: NodePublicKey) => this.#note(`${verb} ${numberOf(key)} at ${name}`)
    const announce = (key: NodePublicKey, isNewest?: boolean) => note(isNewest === true ? 'prefer' : 'open')(key)
    const routes = { announce, withdraw: note('withdraw'), forget: note('forget') }
    return { id: relayIdOf(key), routes, listGeneration: 0 } as unknown as Neighbour
  }
}

function timesOf(keys: readonly (readonly [n: number, time: number])[]): KeyTimes {
  const bytes = new Uint8Array(KeyTimes.byteLength(keys.length))
  KeyTimes.write(
    bytes,
    0,
    keys.map(([n, time]) => ({ key: keyOf(n), time })),
  )
  const times = KeyTimes.read(bytes, 0)
  if (times === undefined) throw new Error('read keys: not a whole number')
  return times
}
