/**
 * Breaks each rule of the region on purpose: the invariant for it must detect that, or it would prove nothing.
 * docs/understand/region.md lists them.
 */

import { afterEach, describe, expect, test, vi } from 'vitest'
import { Announcer } from '../../src/backplane/announcer.ts'
import { decodeMessage } from '../../src/backplane/decode.ts'
import { encodeMessage } from '../../src/backplane/encode.ts'
import { HybridClock } from '../../src/backplane/hybrid-clock.ts'
import type { KeyTimes } from '../../src/backplane/key-times.ts'
import type { InMessage, OutMessage } from '../../src/backplane/message.ts'
import { type WaitingPacket, WaitingPackets, type WaitingQueue } from '../../src/backplane/waiting-packets.ts'
import { Whereabouts } from '../../src/backplane/whereabouts.ts'
import type { NodePublicKey } from '../../src/keys/node-key.ts'
import { RegistryLinkRoutes } from '../../src/server/link-routes.ts'
import { Schedule } from '../../src/sim/schedule.ts'
import type { Tamper } from '../../src/sim/sim-bus.ts'
import type { SimClient } from '../../src/sim/sim-client.ts'
import { SimLink } from '../../src/sim/sim-link.ts'
import { SimRelay } from '../../src/sim/sim-relay.ts'

const realTakeAll = Reflect.get(WaitingPackets.prototype, 'takeAll') as WaitingPackets['takeAll']
const realTakeSendPacket = Reflect.get(SimLink.prototype, 'takeSendPacket') as SimLink['takeSendPacket']

/** Schedules within which each violation must be detected. */
const MOST_SCHEDULES = 400

/** What is wrong after the first failing schedule; empty if none fails. */
function firstBroken(breakIn: (schedule: Schedule) => void = () => {}): string {
  for (let seed = 1; seed <= MOST_SCHEDULES; seed++) {
    const schedule = new Schedule(seed)
    breakIn(schedule)
    const problems = schedule.run()
    if (problems.length > 0) return problems.join('\n')
  }
  return ''
}

/** Messages of these types are lost. */
const without =
  (...types: InMessage['type'][]): Tamper =>
  bytes => {
    const type = decodeMessage(bytes)?.type
    return type !== undefined && types.includes(type) ? undefined : bytes
  }

const tampering = (tamper: Tamper) =>
  firstBroken(({ broker }) => {
    broker.tamper = tamper
  })

function keyTimesOf(keys: KeyTimes): { key: NodePublicKey; time: number }[] {
  return Array.from({ length: keys.length }, (_, n) => ({ key: keys.keyOf(n), time: keys.timeOf(n) }))
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe('schedules notice when', () => {
  test('stamps do not follow time (P-302, P-304)', () => {
    let time = 1_000_000
    vi.spyOn(HybridClock.prototype, 'next').mockImplementation(() => time--)
    vi.spyOn(HybridClock.prototype, 'hear').mockReturnValue(true)
    expect(firstBroken()).toMatch(/keeps|gives up/)
  })

  test('an older login is not answered with superseded (P-306)', () => {
    expect(tampering(without('superseded'))).toMatch(/keeps/)
  })

  test('an older login returns with a new time (P-307)', () => {
    // What a relay announces again is made newer.
    const announced = new Map<string, number>()
    const tamper: Tamper = (bytes, from) => {
      const message = decodeMessage(bytes)
      if (message?.type !== 'here' || message.list !== undefined) return bytes
      const keys = keyTimesOf(message.keys).map(({ key, time }) => {
        const login = `${from} ${key.toHex()} ${time}`
        const times = (announced.get(login) ?? 0) + 1
        announced.set(login, times)
        return { key, time: times === 1 ? time : time + times * 1_000_000 }
      })
      return encodeMessage({ ...message, keys } as OutMessage)
    }
    expect(tampering(tamper)).toMatch(/keeps|gives up/)
  })

  test('a key is declared not found before all relays have responded (P-309)', () => {
    const schedules = (schedule: Schedule) => {
      const { broker } = schedule
      broker.tamper = (bytes, _from, to) => {
        const message = decodeMessage(bytes)
        // Replies from relays that have the key are lost, others are not.
        return message?.type === 'found' && message.keys.length > 0 && to !== undefined
          ? encodeMessage({ type: 'found', id: message.id, keys: [] })
          : bytes
      }
    }
    expect(firstBroken(schedules)).toMatch(/reached undefined, but is at/)
  })

  test('misrouted packets are not answered (P-311)', () => {
    vi.spyOn(Whereabouts.prototype, 'notHere').mockImplementation(() => {})
    expect(firstBroken()).toMatch(/reached undefined, but is at/)
  })

  test('missed messages are not recovered (P-312)', () => {
    vi.spyOn(Announcer.prototype, 'list').mockImplementation(() => {})
    expect(tampering(without('resync'))).toMatch(/keeps|gives up/)
  })

  test('queued packets are sent out of order (P-310)', () => {
    vi.spyOn(WaitingPackets.prototype, 'takeAll').mockImplementation(function (
      this: WaitingPackets,
      queue: WaitingQueue,
    ): WaitingPacket[] {
      return realTakeAll.call(this, queue).toReversed()
    })
    expect(firstBroken()).toMatch(/came after/)
  })

  test('messages rejected by the bus are not recovered (P-317)', () => {
    vi.spyOn(Announcer.prototype, 'hasLost', 'get').mockReturnValue(false)
    // Sequence numbers do not reveal the loss either.
    const numbers = new Map<string, number>()
    const tamper: Tamper = (bytes, from, to) => {
      const message = decodeMessage(bytes)
      if (message?.type === 'beat') {
        if (message.sequence === 0) numbers.delete(from)
        return encodeMessage({ ...message, sequence: numbers.get(from) ?? 0 })
      }
      if (to !== undefined || (message?.type !== 'here' && message?.type !== 'gone')) return bytes
      const sequence = (numbers.get(from) ?? 0) + 1
      numbers.set(from, sequence)
      return encodeMessage({ ...message, sequence, keys: keyTimesOf(message.keys) } as OutMessage)
    }
    expect(tampering(tamper)).toMatch(/keeps|gives up/)
  })

  test('packets are lost without being counted (P-310)', () => {
    let packets = 0
    vi.spyOn(SimLink.prototype, 'takeSendPacket').mockImplementation(function (this: SimLink, ...packet) {
      if (packets++ % 50 !== 0) realTakeSendPacket.apply(this, packet)
    })
    expect(firstBroken()).toMatch(/packets sent, \d+ delivered, \d+ dropped/)
  })

  test('routes to relays that have left remain (P-316)', () => {
    vi.spyOn(Whereabouts.prototype, 'relayLeft').mockImplementation(() => {})
    expect(firstBroken()).toMatch(/reached undefined, but is at/)
  })

  test('packets are delivered twice (P-310)', () => {
    let packets = 0
    vi.spyOn(SimLink.prototype, 'takeSendPacket').mockImplementation(function (this: SimLink, ...packet) {
      realTakeSendPacket.apply(this, packet)
      if (packets++ % 50 === 0) realTakeSendPacket.apply(this, packet)
    })
    expect(firstBroken()).toMatch(/came after/)
  })

  test('clients are not notified of departures (P-315)', () => {
    vi.spyOn(SimRelay.prototype, 'keyLeft').mockImplementation(() => {})
    vi.spyOn(RegistryLinkRoutes.prototype, 'withdraw').mockImplementation(function (
      this: RegistryLinkRoutes<SimClient>,
      key: NodePublicKey,
    ) {
      this.forget(key)
    })
    expect(firstBroken()).toMatch(/was not told that .* has left/)
  })
})
