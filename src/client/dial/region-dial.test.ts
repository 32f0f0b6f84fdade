import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import type { DERPNode, DERPRegion } from '../../derpmap/types.ts'
import { silentLog } from '../../lib/log.ts'
import { dialRegion, idealNodeHeaders, withinNodeTime } from './region-dial.ts'

const NEVER = new AbortController().signal
const node = (Name: string, fields: Partial<DERPNode> = {}): DERPNode => ({
  Name,
  RegionID: 1,
  HostName: `${Name}.test`,
  ...fields,
})
const regionOf = (...Nodes: DERPNode[]): DERPRegion => ({ RegionID: 1, RegionCode: 'own', RegionName: '', Nodes })

test('dialRegion tries nodes in order and stops at the first that connects (P-220)', async () => {
  const tried: string[] = []
  const connect = async ({ Name }: DERPNode) => {
    tried.push(Name)
    if (Name === 'a') throw new Error('refused')
    return `to ${Name}`
  }
  const region = regionOf(node('s', { STUNOnly: true }), node('a'), node('b'), node('c'))
  const dialed = await dialRegion({ region, signal: NEVER, log: silentLog, connect })
  expect(dialed).toEqual({ node: region.Nodes[2], connection: 'to b' })
  expect(tried).toEqual(['a', 'b'])
})

test('dialRegion reports the first error when no node connects (P-220)', async () => {
  const connect = async ({ Name }: DERPNode) => Promise.reject(new Error(Name))
  const region = regionOf(node('a'), node('b'))
  await expect(dialRegion({ region, signal: NEVER, log: silentLog, connect })).rejects.toThrow('a')
})

test.each([
  [regionOf(), 'dial region 1 (own): no nodes'],
  [regionOf(node('a', { STUNOnly: true })), 'dial region 1 (own): only STUN-only nodes'],
])('dialRegion refuses a region without nodes for packets (P-220)', async (region, message) => {
  const connect = () => Promise.reject(new Error('must not be dialled'))
  await expect(dialRegion({ region, signal: NEVER, log: silentLog, connect })).rejects.toMatchObject({
    code: 'ERR_DERP_REGION_EMPTY',
    message,
  })
})

test('dialRegion tries no further node once aborted', async () => {
  const controller = new AbortController()
  const tried: string[] = []
  const connect = async ({ Name }: DERPNode) => {
    tried.push(Name)
    controller.abort()
    throw new Error('aborted')
  }
  const region = regionOf(node('a'), node('b'))
  await expect(dialRegion({ region, signal: controller.signal, log: silentLog, connect })).rejects.toThrow('aborted')
  expect(tried).toEqual(['a'])
})

test('withinNodeTime gives a node 1.5 s, and discards a late connection (P-221)', async () => {
  const clock = new FakeClock()
  const late: string[] = []
  const connection = Promise.withResolvers<string>()
  const dial = { node: node('1a'), clock, signal: NEVER, discard: (value: string) => void late.push(value) }
  const dialing = withinNodeTime(dial, () => connection.promise)
  let isOver = false
  dialing.catch(() => {
    isOver = true
  })
  clock.advance(1_499)
  await settle()
  expect(isOver).toBe(false)
  clock.advance(1)
  await expect(dialing).rejects.toMatchObject({
    code: 'ERR_DERP_DIAL_TIMEOUT',
    message: 'dial node 1a (1a.test): not connected after 1500 ms',
  })
  connection.resolve('late')
  await settle()
  expect(late).toEqual(['late'])
})

test('idealNodeHeaders name the first node unless it was reached, in characters allowed in a header (P-225)', () => {
  const region = regionOf(node('1a'), node('1b'))
  const [first, second] = region.Nodes as [DERPNode, DERPNode]
  expect(idealNodeHeaders(region, first)).toEqual({})
  expect(idealNodeHeaders(region, second)).toEqual({ 'Ideal-Node': '1a' })
  expect(idealNodeHeaders(regionOf(node(''), second), second)).toEqual({})
  expect(idealNodeHeaders(regionOf(node('é\r\nX: y'), second), second)).toEqual({ 'Ideal-Node': '???X: y' })
})
