import { expect, test } from 'vitest'
import { BridgeWatch } from './bridge-watch.ts'
import type { StunAddress } from './mapped-address.ts'

function v4(text: string): StunAddress {
  return { family: 4, bytes: Uint8Array.from(text.split('.').map(Number)), port: 7 }
}

const v6: StunAddress = { family: 6, bytes: new Uint8Array(16).fill(0x20), port: 7 }
const loopback6: StunAddress = { family: 6, bytes: new Uint8Array(16).fill(1, 15), port: 7 }

/** Reports after these sources, with a watch that needs three requests. */
function toldOf(sources: readonly StunAddress[]): string[] {
  const told: string[] = []
  const watch = new BridgeWatch(({ address, requests }) => told.push(`${address} ${requests}`), 3)
  for (const source of sources) watch.see(source)
  return told
}

test.each([
  ['the default bridge', ['172.17.0.1', '172.17.0.1', '172.17.0.1'], ['172.17.0.1 3']],
  ['gateways of one network', ['10.244.0.1', '10.244.1.1', '10.244.1.1'], ['10.244.1.1 3']],
  ['a bridge and health checks', ['127.0.0.1', '192.168.5.1', '192.168.5.1', '192.168.5.1'], ['192.168.5.1 3']],
  ['too few', ['172.17.0.1', '172.17.0.1'], []],
  ['two networks', ['172.17.0.1', '172.18.0.1', '172.17.0.1', '172.17.0.1'], []],
  ['one client among them', ['172.17.0.1', '172.17.0.9', '172.17.0.1', '172.17.0.1'], []],
  ['public addresses', ['203.0.1.1', '203.0.1.1', '203.0.1.1'], []],
  ['addresses near the private blocks', ['172.32.0.1', '172.32.0.1', '172.32.0.1'], []],
  ['health checks only', ['127.0.0.1', '127.0.0.1', '127.0.0.1'], []],
])('BridgeWatch on %s (P-187)', (_, sources, told) => {
  expect(toldOf(sources.map(v4))).toEqual(told)
})

test('BridgeWatch accepts an IPv6 client as proof of the Internet, but not loopback (P-187)', () => {
  const bridge = v4('172.17.0.1')
  expect(toldOf([bridge, v6, bridge, bridge, bridge])).toEqual([])
  expect(toldOf([bridge, loopback6, bridge, bridge])).toEqual(['172.17.0.1 3'])
})
