/** Breaks each rule of the region on purpose: the schedules must detect it, or they would prove nothing. */

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
import { Schedule } from '../../src/sim/schedule.ts'
import type { Tamper } from '../../src/sim/sim-bus.ts'
import { SimLink } from '../../src/sim/sim-link.ts'

const realTakeAll = Reflect.get(WaitingPackets.prototype, 'takeAll') as WaitingPackets['takeAll']
const realTakeSendPacket = Reflect.get(SimLink.prototype, 'takeSendPacket') as SimLink['takeSendPacket']

/** Schedules within which each violation must be detected. */
const MOST_SCHEDULES = 400

/** The first failing schedule. */
function firstBroken(breakIn: (schedule: Schedule) => void = () => {}): number | undefined {
  for (let seed = 1; seed <= MOST_SCHEDULES; seed++) {
    const schedule = new Schedule(seed)
    breakIn(schedule)
    if (schedule.run().length > 0) return seed
  }
  return undefined
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
    expect(firstBroken()).toBeDefined()
  })

  test('an older login is not answered with superseded (P-306)', () => {
    expect(tampering(without('superseded'))).toBeDefined()
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
    expect(tampering(tamper)).toBeDefined()
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
    expect(firstBroken(schedules)).toBeDefined()
  })

  test('misrouted packets are not answered (P-311)', () => {
    vi.spyOn(Whereabouts.prototype, 'notHere').mockImplementation(() => {})
    expect(firstBroken()).toBeDefined()
  })

  test('missed messages are not recovered (P-312)', () => {
    vi.spyOn(Announcer.prototype, 'list').mockImplementation(() => {})
    expect(tampering(without('resync'))).toBeDefined()
  })

  test('queued packets are sent out of order (P-310)', () => {
    vi.spyOn(WaitingPackets.prototype, 'takeAll').mockImplementation(function (
      this: WaitingPackets,
      queue: WaitingQueue,
    ): WaitingPacket[] {
      return realTakeAll.call(this, queue).toReversed()
    })
    expect(firstBroken()).toBeDefined()
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
    expect(tampering(tamper)).toBeDefined()
  })

  test('packets are lost without being counted, or delivered twice (P-310)', () => {
    let packets = 0
    vi.spyOn(SimLink.prototype, 'takeSendPacket').mockImplementation(function (this: SimLink, ...packet) {
      if (packets++ % 50 !== 0) realTakeSendPacket.apply(this, packet)
    })
    expect(firstBroken()).toBeDefined()
  })

  test('clients are not notified of departures (P-315)', () => {
    vi.spyOn(Whereabouts.prototype, 'relayLeft').mockImplementation(() => {})
    expect(firstBroken()).toBeDefined()
  })
})
