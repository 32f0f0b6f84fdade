/** Requirements of multi-threaded listeners. */

import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createRoutes } from '../../src/http/routes.ts'
import { createHttpListener } from '../../src/listen/node/http-listener.ts'
import type { ReadinessReport, ReadinessSource } from '../../src/status/readiness.ts'
import { request } from '../support/raw-http.ts'
import { until } from '../support/settle.ts'

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

function listenerFor(readiness: ReadinessSource) {
  const routes = createRoutes({ readiness })
  const listener = createHttpListener({ routes, acceptTimeoutMs: 5_000 })
  cleanups.push(() => listener.close())
  return listener
}

/** Identifies the listener in the response. */
const named = (name: string) =>
  listenerFor({ report: () => ({ ready: true, problems: [], degraded: [{ name, reason: '' }] }) })

test.runIf(process.platform === 'linux')(
  'listeners with reusePort share a port, and a single one can serve it',
  async () => {
    const [a, b] = [named('a'), named('b')]
    const { port } = await a.listen(0, '127.0.0.1', { reusePort: true })
    expect((await b.listen(port, '127.0.0.1', { reusePort: true })).port).toBe(port)
    await expect(named('c').listen(port, '127.0.0.1')).rejects.toMatchObject({ code: 'EADDRINUSE' })
    const answering = async () => (await request(port, 'GET /readyz', ['Connection: close'])).body.toString()
    const seen = new Set<string>()
    for (let n = 0; n < 200 && seen.size < 2; n++) seen.add(await answering())
    expect([...seen].toSorted()).toEqual(['ready\ndegraded: a\n', 'ready\ndegraded: b\n'])
    a.stopListening()
    await until(() => !a.server.listening, 'its queue is empty')
    for (let n = 0; n < 10; n++) expect(await answering()).toBe('ready\ndegraded: b\n')
  },
)

test('/readyz waits for a report of another thread, and is unready without one (P-171)', async () => {
  const asked: PromiseWithResolvers<ReadinessReport>[] = []
  const listener = listenerFor({
    report: () => {
      const answer = Promise.withResolvers<ReadinessReport>()
      asked.push(answer)
      return answer.promise
    },
  })
  const { port }: AddressInfo = await listener.listen(0, '127.0.0.1')
  const [first, second] = [request(port, 'GET /readyz'), request(port, 'GET /readyz')]
  await expect.poll(() => asked.length).toBe(2)
  asked[0]?.resolve({ ready: true, problems: [], degraded: [] })
  asked[1]?.reject(new Error('thread has ended'))
  const bodies = (await Promise.all([first, second])).map(({ status, body }) => `${status} ${body.toString()}`)
  expect(bodies.toSorted()).toEqual(['200 ready\n', '503 not ready\nreadiness\n'])
})
