import { expect, test } from 'vitest'
import { Target } from '../conformance/target.ts'
import { startHeaderProxy } from '../support/header-proxy.ts'
import { startOurRelay } from '../support/relays.ts'

test('derper trusts X-Forwarded-For and PROXY headers from its proxies (P-125, P-126)', async () => {
  const relay = await startOurRelay(['-trusted-proxies', '127.0.0.0/8, 192.0.2.1', '-proxy-protocol'])
  const statusFor = async (source: string, headers: Record<string, string> = {}) => {
    const header = `PROXY TCP4 ${source} 198.51.100.2 4711 443\r\n`
    await using proxy = await startHeaderProxy({ to: relay.port, header })
    const target = new Target({ url: `http://127.0.0.1:${proxy.port}/derp`, carriage: 'raw', like: 'ours' })
    return (await target.http('/debug/', { headers })).status
  }
  expect(await statusFor('100.64.0.1')).toBe(200)
  expect(await statusFor('198.51.100.1')).toBe(403)
  expect(await statusFor('192.0.2.1', { 'X-Forwarded-For': '100.64.0.1' })).toBe(200)
  expect(await statusFor('198.51.100.1', { 'X-Forwarded-For': '100.64.0.1' })).toBe(403)
  await relay.stop()
})
