import { expect, test } from 'vitest'
import { DerpError } from '../lib/derp-error.ts'
import { PendingPings } from './pending-pings.ts'

test('PendingPings takes the Pong of each Ping once (P-207)', async () => {
  const pings = new PendingPings()
  const first = pings.add()
  const second = pings.add()
  expect(first.payload).not.toEqual(second.payload)
  expect(pings.take(Uint8Array.from(second.payload))).toBe(true)
  await expect(second.answered).resolves.toBeUndefined()
  expect(pings.take(second.payload)).toBe(false)
  expect(pings.take(first.payload)).toBe(true)
})

test('PendingPings ignores other Pongs, including those of aborted pings (P-208)', () => {
  const pings = new PendingPings()
  const ping = pings.add()
  pings.remove(ping)
  expect(pings.take(ping.payload)).toBe(false)
  expect(pings.take(new Uint8Array(8))).toBe(false)
})

test('PendingPings fails all pending pings', async () => {
  const pings = new PendingPings()
  const ping = pings.add()
  const error = new DerpError('ERR_DERP_CONN_CLOSED', 'gone')
  pings.fail(error)
  await expect(ping.answered).rejects.toBe(error)
  expect(pings.take(ping.payload)).toBe(false)
})
