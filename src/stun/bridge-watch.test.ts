import { expect, test } from 'vitest'
import { BridgeWatch, JUDGE_AGAIN_MS, TELL_AGAIN_MS } from './bridge-watch.ts'
import type { StunAddress } from './mapped-address.ts'

function v4(text: string): StunAddress {
  return { family: 4, bytes: Uint8Array.from(text.split('.').map(Number)), port: 7 }
}

const v6: StunAddress = { family: 6, bytes: new Uint8Array(16).fill(0x20), port: 7 }
const loopback6: StunAddress = { family: 6, bytes: new Uint8Array(16).fill(1, 15), port: 7 }

const times = (count: number, text: string) => Array.from({ length: count }, () => v4(text))

/** A watch that judges ten requests at a time, and what it reports. */
function watched() {
  const told: string[] = []
  const watch = new BridgeWatch(
    ({ address, requests, fromBridge }) => told.push(`${address} ${fromBridge}/${requests}`),
    10,
  )
  const see = (sources: readonly StunAddress[], nowMs = 0) => {
    for (const source of sources) watch.see(source, nowMs)
    return told
  }
  return { see, told }
}

test.each([
  ['the default bridge', times(10, '172.17.0.1'), ['172.17.0.1 10/10']],
  ['gateways of one network', [...times(5, '10.244.0.1'), ...times(5, '10.244.1.1')], ['10.244.1.1 10/10']],
  ['a bridge and health checks', [v4('127.0.0.1'), ...times(10, '192.168.5.1')], ['192.168.5.1 10/10']],
  ['a bridge and IPv6 health checks', [loopback6, ...times(10, '192.168.5.1')], ['192.168.5.1 10/10']],
  ['a bridge and one other client', [v4('172.17.0.9'), ...times(9, '172.17.0.1')], ['172.17.0.1 9/10']],
  ['a bridge and one IPv6 client', [v6, ...times(9, '172.17.0.1')], ['172.17.0.1 9/10']],
  ['a bridge and two others', [v6, v6, ...times(8, '172.17.0.1')], []],
  ['too few', times(9, '172.17.0.1'), []],
  ['two networks', [...times(5, '172.17.0.1'), ...times(5, '172.18.0.1')], []],
  ['public addresses', times(10, '203.0.1.1'), []],
  ['addresses near the private blocks', times(10, '172.32.0.1'), []],
  ['health checks only', times(20, '127.0.0.1'), []],
])('BridgeWatch on %s (P-187)', (_, sources, expected) => {
  expect(watched().see(sources)).toEqual(expected)
})

test('BridgeWatch also checks clients that follow others (P-187)', () => {
  const { see } = watched()
  expect(see(times(10, '203.0.113.5'))).toEqual([])
  expect(see(times(50, '172.18.0.1'))).toEqual([])
  expect(see(times(1, '172.18.0.1'), JUDGE_AGAIN_MS)).toEqual(['172.18.0.1 51/51'])
})

test('BridgeWatch reports at most once a day (P-187)', () => {
  const { see, told } = watched()
  for (let nowMs = 0; nowMs <= TELL_AGAIN_MS; nowMs += JUDGE_AGAIN_MS) see(times(10, '172.17.0.1'), nowMs)
  expect(told).toEqual(['172.17.0.1 10/10', '172.17.0.1 10/10'])
})
