import { expect, test } from 'vitest'
import { homeMap, mapRemarks, visitedAt } from './home-map.ts'

const NAMELESS = { hostname: '', stunPort: 3478, canPort80: false }
const NAMED = { hostname: 'relay.test', stunPort: 3478, canPort80: true }

test.each([
  ['relay.test', true, { host: 'relay.test', port: 443, isSecure: true }],
  ['relay.test:8443', true, { host: 'relay.test', port: 8_443, isSecure: true }],
  ['[2001:db8::1]:3340', false, { host: '2001:db8::1', port: 3_340, isSecure: false }],
  ['', false, undefined],
  ['user@relay.test', true, undefined],
  ['relay.test/x', true, undefined],
  ['<b>', true, undefined],
])('visitedAt reads the host "%s"', (host, isSecure, wanted) => {
  expect(visitedAt(host, isSecure)).toEqual(wanted)
})

const nodeOf = (...args: Parameters<typeof homeMap>) => homeMap(...args).Regions?.[900]?.Nodes[0]
const NODE = { Name: '900a', RegionID: 900 }

test('homeMap takes the name of the certificate, else that of the visit, and ports that are not the usual ones', () => {
  expect(nodeOf(NAMED, visitedAt('192.0.2.1', true))).toEqual({ ...NODE, HostName: 'relay.test', CanPort80: true })
  expect(nodeOf(NAMELESS, visitedAt('relay.test:8443', true))).toEqual({
    ...NODE,
    HostName: 'relay.test',
    DERPPort: 8_443,
  })
  expect(nodeOf({ ...NAMELESS, stunPort: undefined }, undefined)).toEqual({ ...NODE, HostName: '', STUNPort: -1 })
  expect(nodeOf({ ...NAMELESS, stunPort: 3_479 }, visitedAt('relay.test', false))).toEqual({
    ...NODE,
    HostName: 'relay.test',
    STUNPort: 3_479,
  })
})

test('mapRemarks says what clients need besides', () => {
  expect(mapRemarks(NAMED, visitedAt('relay.test', true))).toEqual([])
  expect(mapRemarks(NAMELESS, visitedAt('127.0.0.1:3340', false))).toEqual([expect.stringContaining('-tls')])
  expect(mapRemarks(NAMELESS, visitedAt('203.0.113.7', true))).toEqual([expect.stringContaining('hash')])
})
