/** The backplane of one relay, without connections; its test plays NATS and the other relays. */

import { Backplane } from '../../src/backplane/backplane.ts'
import { LISTEN_MS } from '../../src/backplane/limits.ts'
import type { Beat } from '../../src/backplane/message.ts'
import type { RegionLink } from '../../src/backplane/neighbour.ts'
import { type RelayId, relayIdOf } from '../../src/backplane/stamp.ts'
import { NodePublicKey } from '../../src/keys/node-key.ts'
import type { Log } from '../../src/lib/log.ts'
import { RelayCounters } from '../../src/metrics/counters.ts'
import type { LinkRoutes } from '../../src/server/ports.ts'
import type { RegionHost } from '../../src/server/region-ports.ts'
import { FakeClock } from './fake-clock.ts'
import { ScriptedBus } from './scripted-bus.ts'
import { settle } from './settle.ts'

/** A key by its first byte and, to have more than 256, its other ones. */
export function testKey(first: number, others: number = first): NodePublicKey {
  return NodePublicKey.fromBytes(new Uint8Array(32).fill(first).fill(others, 1))
}

export const OWN_KEY: NodePublicKey = testKey(1)
export const OTHER_KEY: NodePublicKey = testKey(2)
export const OWN_ID: RelayId = relayIdOf(OWN_KEY)
export const OTHER_ID: RelayId = relayIdOf(OTHER_KEY)
const OWN_URL = 'https://own.test/derp'

/** A line of the relay's log. */
export type LogLine = readonly [level: string, message: string, fields: unknown]

export class LoneBackplane {
  readonly clock: FakeClock = new FakeClock({ turns: 'manual' })
  readonly bus: ScriptedBus = new ScriptedBus()
  readonly counters: RelayCounters = new RelayCounters()
  readonly backplane: Backplane
  /** Ids of the relays whose links have been closed. */
  readonly closedLinks: RelayId[] = []
  readonly #incarnation = this.clock.wallNow()
  readonly #lines: LogLine[] = []
  #isSettled = false

  /** It has not been started. */
  constructor() {
    const { clock, bus } = this
    const note = (level: string) => (message: string, fields: unknown) => this.#lines.push([level, message, fields])
    const log = { info: note('info'), warn: note('warn'), error: note('error') } as unknown as Log
    const openLink = ({ id }: { readonly id: RelayId }): RegionLink => {
      const close = () => void this.closedLinks.push(id)
      return { isUp: true, local: undefined, check() {}, close, takeSendPacket() {} }
    }
    this.backplane = new Backplane({ host: this.#host(), bus, openLink, ownKey: OWN_KEY, url: OWN_URL, clock, log })
    void this.backplane.settled.then(() => {
      this.#isSettled = true
    })
  }

  /** It has joined and knows another relay. */
  static joined(): LoneBackplane {
    const relay = new LoneBackplane()
    relay.backplane.start()
    relay.bus.goUp()
    relay.clock.advance(LISTEN_MS)
    relay.beat()
    relay.bus.take()
    relay.takeLines()
    return relay
  }

  /** The other relay beats. */
  beat(changes: Partial<Beat> = {}): void {
    this.bus.receive(OTHER_ID, beatOf(changes))
  }

  /** A relay with the same id beats, which was started that much later. */
  twinBeat(laterMs: number, changes: Partial<Beat> = {}): void {
    this.bus.receive(OWN_ID, beatOf({ incarnation: this.#incarnation + laterMs, ...changes }))
  }

  takeLines(): LogLine[] {
    return this.#lines.splice(0)
  }

  async isSettled(): Promise<boolean> {
    await settle(1)
    return this.#isSettled
  }

  #host(): RegionHost {
    const routes: LinkRoutes = { size: 0, announce() {}, withdraw() {}, forget() {}, withdrawAll() {} }
    return {
      counters: this.counters,
      addLink: () => routes,
      joinRegion() {},
      destinationOf: () => undefined,
      isAwaited: () => false,
      keyLeft() {},
      closePeer() {},
    }
  }
}

function beatOf(changes: Partial<Beat>): Beat {
  return { type: 'beat', url: 'https://other.test/derp', incarnation: 1, sequence: 0, time: 0, ...changes }
}
