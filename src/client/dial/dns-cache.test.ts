import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { LastingDnsCache } from './dns-cache.ts'

const NEVER = new AbortController().signal
const OLD = ['192.0.2.1']
const NEW = ['192.0.2.2', '2001:db8::2']

function setUp(ttlMs?: number) {
  const clock = new FakeClock()
  const questions: { host: string; answer: PromiseWithResolvers<readonly string[]> }[] = []
  const lookup = (host: string) => {
    const answer = Promise.withResolvers<readonly string[]>()
    questions.push({ host, answer })
    return answer.promise
  }
  const cache = new LastingDnsCache({ lookup, clock, ttlMs })
  const answer = (addresses: readonly string[]) => questions.at(-1)?.answer.resolve(addresses)
  const fail = () => questions.at(-1)?.answer.reject(new Error('SERVFAIL'))
  return { clock, cache, questions, answer, fail }
}

/** A cache with an expired answer for `relay.test`. */
async function setUpStale() {
  const all = setUp(1_000)
  const first = all.cache.lookup('relay.test', NEVER)
  all.answer(OLD)
  await first
  all.clock.advance(1_000)
  return all
}

test('LastingDnsCache asks once while the answer is fresh, ten minutes by default', async () => {
  const { clock, cache, questions, answer } = setUp()
  const first = cache.lookup('relay.test', NEVER)
  answer(OLD)
  expect(await first).toEqual(OLD)
  clock.advance(599_999)
  expect(await cache.lookup('relay.test', NEVER)).toEqual(OLD)
  expect(questions).toHaveLength(1)
  clock.advance(1)
  const second = cache.lookup('relay.test', NEVER)
  answer(NEW)
  expect(await second).toEqual(NEW)
  expect(clock.pendingTimers).toBe(0)
})

test('LastingDnsCache has one pending lookup per host', async () => {
  const { cache, questions, answer } = setUp()
  const lookups = [cache.lookup('relay.test', NEVER), cache.lookup('relay.test', NEVER)]
  const other = cache.lookup('other.test', NEVER)
  expect(questions.map(({ host }) => host)).toEqual(['relay.test', 'other.test'])
  answer(NEW)
  questions[0]?.answer.resolve(OLD)
  expect(await Promise.all(lookups)).toEqual([OLD, OLD])
  expect(await other).toEqual(NEW)
})

test('LastingDnsCache returns the old answer if there is no new one, and retries the next time', async () => {
  const { cache, questions, answer, fail } = await setUpStale()
  const stale = cache.lookup('relay.test', NEVER)
  fail()
  expect(await stale).toEqual(OLD)
  const empty = cache.lookup('relay.test', NEVER)
  answer([])
  expect(await empty).toEqual(OLD)
  expect(questions).toHaveLength(3)
})

test('LastingDnsCache waits half a second for the new answer if there is an old one, and stores a later one', async () => {
  const { clock, cache, questions, answer } = await setUpStale()
  const slow = cache.lookup('relay.test', NEVER)
  let given: readonly string[] | undefined
  void slow.then(addresses => (given = addresses))
  clock.advance(499)
  await settle()
  expect(given).toBeUndefined()
  clock.advance(1)
  expect(await slow).toEqual(OLD)
  answer(NEW)
  await settle()
  expect(await cache.lookup('relay.test', NEVER)).toEqual(NEW)
  expect(questions).toHaveLength(2)
  expect(clock.pendingTimers).toBe(0)
})

test('LastingDnsCache reports a failure if there is no old answer', async () => {
  const { cache, answer, fail } = setUp()
  const failed = cache.lookup('relay.test', NEVER)
  fail()
  await expect(failed).rejects.toThrow('SERVFAIL')
  const empty = cache.lookup('relay.test', NEVER)
  answer([])
  await expect(empty).rejects.toMatchObject({
    code: 'ERR_DERP_DNS_FAILED',
    message: 'look up relay.test: no addresses',
  })
})

test('LastingDnsCache gives up after ten seconds, and then asks again', async () => {
  const { clock, cache, questions, answer } = setUp()
  const unanswered = cache.lookup('relay.test', NEVER)
  unanswered.catch(() => {})
  clock.advance(10_000)
  await expect(unanswered).rejects.toMatchObject({
    code: 'ERR_DERP_DNS_FAILED',
    message: 'look up relay.test: no answer in 10000 ms',
  })
  const again = cache.lookup('relay.test', NEVER)
  expect(questions).toHaveLength(2)
  answer(NEW)
  expect(await again).toEqual(NEW)
})

test('LastingDnsCache.expire makes the next lookup ask again, without forgetting the answer', async () => {
  const { cache, questions, answer, fail } = setUp()
  const first = cache.lookup('relay.test', NEVER)
  answer(OLD)
  await first
  cache.expire('relay.test')
  cache.expire('unknown.test')
  const second = cache.lookup('relay.test', NEVER)
  expect(questions).toHaveLength(2)
  fail()
  expect(await second).toEqual(OLD)
})

test('LastingDnsCache lets a caller abort while the lookup continues', async () => {
  const { clock, cache, questions, answer } = await setUpStale()
  for (const host of ['relay.test', 'new.test']) {
    const controller = new AbortController()
    const given = cache.lookup(host, controller.signal)
    controller.abort()
    await expect(given).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  }
  answer(NEW)
  await settle()
  expect(await cache.lookup('new.test', NEVER)).toEqual(NEW)
  expect(questions).toHaveLength(3)
  clock.advance(10_000)
  await settle()
  expect(clock.pendingTimers).toBe(0)
})

test('LastingDnsCache remembers 256 hosts', async () => {
  const { cache, questions, answer } = setUp()
  for (let i = 0; i <= 256; i++) {
    const asked = cache.lookup(`${i}.test`, NEVER)
    answer(OLD)
    await asked
  }
  await cache.lookup('1.test', NEVER)
  expect(questions).toHaveLength(257)
  void cache.lookup('0.test', NEVER).catch(() => {})
  expect(questions).toHaveLength(258)
})
