import { expect, test } from 'vitest'
import { rejectionsOf } from '../../test/support/rejections.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import { DerpError } from '../lib/derp-error.ts'
import { silentLog } from '../lib/log.ts'
import type { DerpClient } from './derp-client.ts'
import { type Link, LinkKeeper } from './link-keeper.ts'
import type { OpenedConnection } from './open-connection.ts'

const SERVER_KEY = NodePrivateKey.generate().publicKey()
const lost = () => new DerpError('ERR_DERP_CONN_CLOSED', 'receive: gone')

/** A connection that only records its close. */
function fakeConnection(): OpenedConnection & { closedWith: (DerpError | undefined)[] } {
  const closedWith: (DerpError | undefined)[] = []
  const derp = { serverKey: SERVER_KEY, close: (error?: DerpError) => closedWith.push(error) }
  return { derp: derp as unknown as DerpClient, tls: undefined, closedWith }
}

/** A keeper whose attempts end when the test says so. */
function setUp() {
  const attempts: (PromiseWithResolvers<OpenedConnection> & { stop: AbortSignal })[] = []
  const seen: Link[] = []
  const keeper = new LinkKeeper(
    {
      open: stop => {
        const attempt = Promise.withResolvers<OpenedConnection>()
        attempts.push({ ...attempt, stop })
        return attempt.promise
      },
      onLink: link => seen.push(link),
    },
    silentLog,
  )
  /** Connects. */
  const link = async () => {
    const connection = fakeConnection()
    const connected = keeper.connected('call')
    attempts.at(-1)?.resolve(connection)
    return { ...connection, link: await connected }
  }
  return { keeper, attempts, seen, link }
}

test('LinkKeeper makes one connection for all callers, shows it to its owner first, and keeps it (P-201)', async () => {
  const { keeper, attempts, seen } = setUp()
  const calls = [keeper.connected('call'), keeper.connected('call')]
  attempts[0]?.resolve(fakeConnection())
  const [first, second] = await Promise.all(calls)
  expect(first).toBe(second)
  expect(seen).toEqual([first])
  expect(await keeper.connected('call')).toBe(first)
  expect(keeper.require('call')).toBe(first)
  expect(attempts).toHaveLength(1)
})

test('LinkKeeper numbers its connections from 1 (P-206)', async () => {
  const { keeper, link } = setUp()
  for (let generation = 1; generation <= 3; generation++) {
    const { link: made } = await link()
    expect(made.generation).toBe(generation)
    keeper.drop(made, lost())
  }
})

test('LinkKeeper drops the connection of a call that failed, and fails its pings (P-205)', async () => {
  const { keeper, link } = setUp()
  const { link: made, closedWith } = await link()
  const ping = made.pings.add()
  const error = lost()
  await expect(keeper.use('call', undefined, () => Promise.reject(error))).rejects.toBe(error)
  expect(closedWith).toEqual([error])
  await expect(ping.answered).rejects.toBe(error)
  expect(() => keeper.require('send ping')).toThrow(
    expect.objectContaining({ code: 'ERR_DERP_CLIENT_NOT_CONNECTED', message: 'send ping: not connected' }),
  )
})

test('LinkKeeper keeps the new connection when a call fails late on the old one (P-205)', async () => {
  const { keeper, link } = setUp()
  const old = await link()
  const call = Promise.withResolvers<void>()
  const used = keeper.use('call', undefined, () => call.promise)
  keeper.drop(old.link, lost())
  const current = await link()
  const late = lost()
  call.reject(late)
  await expect(used).rejects.toBe(late)
  expect(keeper.link).toBe(current.link)
  expect(current.closedWith).toEqual([])
  expect(old.closedWith).toHaveLength(1)
})

test('LinkKeeper keeps the connection of a call that was aborted or invalid', async () => {
  const { keeper, link } = setUp()
  const { link: made } = await link()
  const givenUp = keeper.use('call', AbortSignal.abort(), () => Promise.reject(lost()))
  await expect(givenUp).rejects.toBeInstanceOf(DerpError)
  const mistaken = keeper.use('call', undefined, () => Promise.reject(new RangeError('not eight')))
  await expect(mistaken).rejects.toBeInstanceOf(RangeError)
  expect(keeper.link).toBe(made)
})

test('LinkKeeper starts nothing for a call that was already aborted', async () => {
  const { keeper, attempts } = setUp()
  await expect(keeper.connected('call', AbortSignal.abort())).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  expect(attempts).toHaveLength(0)
})

test('LinkKeeper starts a new attempt while an aborted one is still ending, and closes its late connection', async () => {
  const { keeper, attempts, seen } = setUp()
  const controller = new AbortController()
  const first = keeper.connected('call', controller.signal)
  controller.abort()
  await expect(first).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  const second = keeper.connected('call')
  const [late, good] = [fakeConnection(), fakeConnection()]
  attempts[0]?.resolve(late)
  attempts[1]?.resolve(good)
  expect((await second).derp).toBe(good.derp)
  expect(late.closedWith).toHaveLength(1)
  expect(good.closedWith).toHaveLength(0)
  expect(seen).toHaveLength(1)
})

test('LinkKeeper retries after a failed attempt', async () => {
  const { keeper, attempts, link } = setUp()
  const calls = [keeper.connected('call'), keeper.connected('call')]
  const error = lost()
  attempts[0]?.reject(error)
  expect(await rejectionsOf(calls)).toEqual([error, error])
  expect((await link()).link.generation).toBe(1)
  expect(attempts).toHaveLength(2)
})

test('LinkKeeper once closed rejects with one error, whatever a call failed with (P-209)', async () => {
  const { keeper, link } = setUp()
  const { closedWith } = await link()
  const call = Promise.withResolvers<void>()
  const used = keeper.use('call', undefined, () => call.promise)
  keeper.close()
  const closed = expect.objectContaining({ code: 'ERR_DERP_CLIENT_CLOSED' })
  expect(closedWith).toEqual([closed])
  call.reject(lost())
  await expect(used).rejects.toEqual(closed)
  expect(() => keeper.require('call')).toThrow(closed)
  expect(() => keeper.close()).toThrow(closed)
  await expect(keeper.connected('call')).rejects.toEqual(closed)
})

test('LinkKeeper on close aborts its attempt and closes its late connection (P-209)', async () => {
  const { keeper, attempts } = setUp()
  const connecting = keeper.connected('call')
  keeper.close()
  expect(attempts[0]?.stop.reason).toMatchObject({ code: 'ERR_DERP_CLIENT_CLOSED' })
  const late = fakeConnection()
  attempts[0]?.resolve(late)
  await expect(connecting).rejects.toMatchObject({ code: 'ERR_DERP_CLIENT_CLOSED' })
  expect(late.closedWith).toHaveLength(1)
})
