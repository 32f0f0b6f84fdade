import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { expect, test } from 'vitest'
import { ListeningRelay } from '../support/listening-relay.ts'
import { exchange } from '../support/raw-http.ts'
import { hasSs, keepAliveSeconds } from '../support/socket-timers.ts'
import { TestCa } from '../support/test-ca.ts'

const UPGRADE = 'GET /derp HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'
const TEN_MINUTES = { tcpKeepAliveMs: 600_000 }

/** The keep-alive timer only runs once all bytes are acknowledged. */
async function probedWithin(port: number, connections: number, min: number, max: number): Promise<void> {
  const timers = async () => (await keepAliveSeconds(port)).map(seconds => seconds > min && seconds <= max)
  await expect.poll(timers).toEqual(Array(connections).fill(true))
}

test.runIf(hasSs)('accepted connections get TCP keep-alive after the set time, upgraded or not (P-106)', async () => {
  await using relay = await ListeningRelay.start({ listener: TEN_MINUTES })
  const [idle, upgraded] = [connect(relay.port, '127.0.0.1'), connect(relay.port, '127.0.0.1')]
  await exchange(upgraded, UPGRADE)
  await probedWithin(relay.port, 2, 500, 600)
  idle.destroy()
  upgraded.destroy()
})

test.runIf(hasSs)('so do TLS connections; without a time none does (P-106)', async () => {
  const certificate = await (await TestCa.create()).issue({ dns: ['relay.test'] })
  await using secure = await ListeningRelay.start({
    listener: { tcpKeepAliveMs: 20_000 },
    tls: { hostname: 'relay.test', certificate },
  })
  await using unprobed = await ListeningRelay.start()
  const overTls = connectTls({ port: secure.port, servername: 'relay.test', rejectUnauthorized: false })
  const plain = connect(unprobed.port, '127.0.0.1')
  await Promise.all([once(overTls, 'secureConnect'), once(plain, 'connect')])
  await probedWithin(secure.port, 1, 0, 20)
  expect(await keepAliveSeconds(unprobed.port)).toEqual([Number.NaN])
  overTls.destroy()
  plain.destroy()
})
