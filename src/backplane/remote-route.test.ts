import { expect, test } from 'vitest'
import { keyOf } from '../../test/support/whereabouts-scene.ts'
import type { PacketSource } from '../server/ports.ts'
import type { Neighbour } from './neighbour.ts'
import { RemoteRoute } from './remote-route.ts'

const source = { key: keyOf(1) } as unknown as PacketSource

function setUp() {
  const sent: unknown[][] = []
  const link = { takeSendPacket: (...packet: unknown[]) => void sent.push(packet) }
  const neighbour = { id: 'aaaaaaaaaaaaaaaa', link } as unknown as Neighbour
  return { sent, neighbour, route: new RemoteRoute(keyOf(2), { neighbour, time: 10 }, 1_000, 7) }
}

test('a new route is closed, does not decide between logins, and counts as used and confirmed (P-304, P-312, P-314)', () => {
  const { route, neighbour } = setUp()
  expect(route).toMatchObject({ isOpen: false, isNewest: false, isUsed: true, usedAtMs: 1_000, confirmedIn: 7 })
  expect(route.stamp).toEqual({ time: 10, relay: neighbour.id })
})

test('a packet uses the route and goes over the link of its relay (P-314)', () => {
  const { route, sent } = setUp()
  route.isUsed = false
  const buffer = new Uint8Array(100)
  route.takeSendPacket(source, buffer, 10, 60, 'disco')
  expect([route.isUsed, sent]).toEqual([true, [[source, buffer, 10, 60, 'disco']]])
})
