import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { runtimePages } from '../../src/http/debug/debug-runtime.ts'
import type { Engine } from '../../src/http/debug/engine.ts'
import { Profiler } from '../../src/http/debug/profiler.ts'
import { RUNTIME, RUNTIME_TITLE } from '../../src/lib/runtime.ts'
import type { HttpReply, HttpRequest } from '../../src/listen/http-service.ts'
import { startDebugServer } from '../support/debug-server.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { until } from '../support/settle.ts'

const FORWARDED = { headers: { 'X-Forwarded-For': '127.0.0.1' } }

/** Waits until a profile is running: the only timer of an idle relay. */
const begun = (relay: MemoryRelay) => until(() => relay.clock.pendingTimers === 1, 'a profile has started')

test('/debug/gc collects garbage and reports the result (P-199)', async () => {
  await using server = await startDebugServer(new MemoryRelay())
  const garbage = new WeakRef({})
  // Kept until the end of this turn.
  await new Promise(resolve => setImmediate(resolve))
  const answer = await fetch(`${server.url}/debug/gc`)
  expect(await answer.text()).toMatch(/^running GC\.\.\.\nheap in use: \d+ bytes before, \d+ bytes after\nDone\.\n$/)
  expect(garbage.deref()).toBeUndefined()
})

const MADE = [
  ['profile', 'cpuprofile', 'nodes'],
  ['heap', 'heapprofile', 'samples'],
] as const

test.each(MADE.slice(0, RUNTIME.name === 'bun' ? 1 : 2))(
  '/debug/pprof/%s profiles for the given number of seconds (P-199)',
  async (page, extension, content) => {
    const relay = new MemoryRelay()
    await using server = await startDebugServer(relay)
    const answer = fetch(`${server.url}/debug/pprof/${page}?seconds=7`)
    await begun(relay)
    relay.clock.advance(6_999)
    expect(relay.clock.pendingTimers).toBe(1)
    relay.clock.advance(1)
    const { headers, status } = await answer
    expect([status, headers.get('content-disposition')]).toEqual([200, `attachment; filename="derper.${extension}"`])
    const profile = (await (await answer).json()) as Record<string, unknown>
    expect(profile[content]).toBeInstanceOf(Array)
  },
)

test('a profile that the runtime does not make is refused with what makes it, and not linked (P-199)', async () => {
  const engine: Engine = { profiles: { cpu: undefined, heap: undefined }, collectGarbage: async () => {} }
  const pages = runtimePages(new FakeClock(), () => Promise.reject(new Error('not asked')), new Profiler(engine))
  const answer = (path: string) => pages.get(path)?.({ target: `${path}?seconds=1` } as HttpRequest)
  for (const kind of ['profile', 'heap']) {
    const { status, body } = (await answer(`/debug/pprof/${kind}`)) as HttpReply
    expect([status, body]).toEqual([501, `not available on ${RUNTIME_TITLE}; run the relay on Node.js\n`])
  }
  const { body } = (await answer('/debug/pprof/')) as HttpReply
  expect(body).toContain('/debug/pprof/heap?seconds=10 (not available on')
  expect(body).not.toContain('href="/debug/pprof/heap')
})

test('profiles run one at a time, and end when the reader disconnects (P-199)', async () => {
  const relay = new MemoryRelay()
  await using server = await startDebugServer(relay)
  const leaving = new AbortController()
  const first = fetch(`${server.url}/debug/pprof/profile`, { signal: leaving.signal }).catch(() => 'left')
  await begun(relay)
  const refused = await fetch(`${server.url}/debug/pprof/profile`)
  expect([refused.status, await refused.text()]).toEqual([409, 'another profile is in progress\n'])
  leaving.abort()
  expect(await first).toBe('left')
  await until(() => relay.clock.pendingTimers === 0, 'the profile ends')
  // Ending takes a while.
  const next = async () => {
    let isAnswered = false
    const answer = fetch(`${server.url}/debug/pprof/profile?seconds=60`).finally(() => {
      isAnswered = true
    })
    await until(() => isAnswered || relay.clock.pendingTimers === 1, 'another profile has started or is refused')
    relay.clock.advance(60_000)
    return (await answer).status
  }
  await expect.poll(next).toBe(200)
})

test('a profile may take longer than the idle timeout (P-107, P-199)', async () => {
  const relay = new MemoryRelay()
  await using server = await startDebugServer(relay, {}, { idleTimeoutMs: 100, acceptTimeoutMs: 500 })
  const answer = fetch(`${server.url}/debug/pprof/profile?seconds=60`)
  await begun(relay)
  // A silent connection ends when the profile has taken longer.
  await once(connect(server.port, '127.0.0.1').resume(), 'close')
  relay.clock.advance(60_000)
  expect((await answer).status).toBe(200)
})

test('profiles are bounded, listed and protected; those of the Go runtime are not found (P-190, P-199)', async () => {
  await using server = await startDebugServer(new MemoryRelay())
  const page = (path: string, options?: RequestInit) => fetch(`${server.url}/debug/pprof/${path}`, options)
  for (const seconds of ['0', '61', '600', '-1', '1.5', 'x', '']) {
    expect((await page(`profile?seconds=${seconds}`)).status).toBe(400)
  }
  expect((await page('profile?seconds=1', FORWARDED)).status).toBe(403)
  expect(await (await page('')).text()).toContain('href="/debug/pprof/profile?seconds=10"')
  expect(await (await page('cmdline')).text()).toBe('derper\0-dev')
  const goroutines = await page('goroutine?debug=1')
  expect([goroutines.status, await goroutines.text()]).toEqual([404, 'no such profile; see /debug/pprof/\n'])
})
