/**
 * Resilient clients in a page of Chromium under random faults of their network: do its objects stay as few as they are, and
 * are all of them connected in the end?
 *
 * Objects are counted by heap snapshots, without what the engine compiles: that comes and goes by hundreds of kilobytes, so
 * that the size of the heap says nothing about a leak within minutes.
 *
 * node test/soak/browser.ts [--minutes 10] [--clients 20]
 */

import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { slope } from '../../bench/growth.ts'
import { BROWSER_ENTRY, bundleForBrowser } from '../support/browser-bundle.ts'
import { launchChromium } from '../support/chromium.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { PageHeap } from '../support/page-heap.ts'
import { PageServer, type ServedFile } from '../support/page-server.ts'

const FAULTS = ['cut', 'reset', 'stall'] as const
/** Most bytes by which the objects of the page may grow, per client and minute. */
const MOST_GROWTH = 512
/** Faults between two snapshots. */
const TURNS = 8
/** How long after the last fault all clients have to be connected. */
const RECOVERY_MS = 60_000

/** Clients that send to each other all the time; `soak` in the page's globals tells of them. */
const CODE = `
import { Client, NodePrivateKey, ResilientClient } from ${JSON.stringify(BROWSER_ENTRY)}
const TIMES = { backoffMinMs: 50, backoffMaxMs: 2000, healthyAfterMs: 500, attemptTimeoutMs: 3000, pingIntervalMs: 2000, pingTimeoutMs: 1000, sendWaitMs: 1000 }
globalThis.soak = { received: 0, sent: 0, reconnects: 0, clients: [] }
soak.start = async (url, count) => {
  for (let i = 0; i < count; i++) {
    const key = await NodePrivateKey.generate()
    const client = new ResilientClient({ ...TIMES, targets: [url], createClient: at => new Client(key, at) })
    const each = { key: key.publicKey(), client, last: '' }
    client.events.on('state', ({ state, reason }) => {
      soak.reconnects += state === 'connected'
      each.last = \`\${state} (\${reason})\`
    })
    soak.clients.push(each)
  }
  for (const [at, { client }] of soak.clients.entries()) {
    void (async () => { for await (const message of client) soak.received += message.type === 'receivedPacket' })()
    void (async () => {
      const peer = soak.clients[(at + 1) % count].key
      for (;;) {
        await client.send(peer, new Uint8Array(1000)).then(() => soak.sent++, () => {})
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    })()
  }
}
soak.connected = () => soak.clients.filter(({ client }) => client.state === 'connected').length
`

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, clients: { type: 'string', default: '20' } },
})
const [minutes, count] = [Number(values.minutes), Number(values.clients)]

const [browser, relay, chunks] = await Promise.all([launchChromium(), ListeningRelay.start(), bundleForBrowser(CODE)])
const proxy = await FaultProxy.start(relay.port)
const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>'
const files = chunks.map(({ name, code }): [string, ServedFile] => [
  `/${name}`,
  { type: 'text/javascript', body: code },
])
const pages = await PageServer.start(new Map([['/', { type: 'text/html', body: html } as const], ...files]))
const page = await browser.newPage()
const errors: string[] = []
page.on('pageerror', error => errors.push(error.message))
await page.goto(`http://127.0.0.1:${pages.port}/`)
await page.waitForFunction('globalThis.soak?.start !== undefined')
await page.evaluate(`soak.start('http://127.0.0.1:${proxy.port}/derp', ${count})`)
const session = await page.context().newCDPSession(page)

async function untilAllConnected(): Promise<number> {
  const startMs = performance.now()
  try {
    await page.waitForFunction(`soak.connected() === ${count}`, undefined, { timeout: RECOVERY_MS })
  } catch (cause) {
    const last = await page.evaluate<readonly string[]>('soak.clients.map(({ last }) => last)')
    throw new Error(`wait for all clients: not connected within ${RECOVERY_MS} ms: ${last.join(', ')}`, { cause })
  }
  return performance.now() - startMs
}

const heap = new PageHeap(session)
await untilAllConnected()
const samples: [minute: number, bytes: number][] = []
const startMs = performance.now()
const endMs = performance.now() + minutes * 60_000
for (let turn = 1; performance.now() < endMs; turn++) {
  proxy.spoilAll(FAULTS[Math.floor(Math.random() * FAULTS.length)] ?? 'cut')
  await delay(1_000 + 5_000 * Math.random())
  if (turn % TURNS !== 0) continue
  // At the same state each time: a connection that is being opened or closed has objects of its own.
  await untilAllConnected()
  const bytes = await heap.objectBytes()
  samples.push([(performance.now() - startMs) / 60_000, bytes])
  process.stdout.write(`minute ${((performance.now() - startMs) / 60_000).toFixed(1)}: ${bytes} bytes of objects\n`)
}
const recoveredMs = await untilAllConnected()
// What is made once, in the beginning, is no growth.
const growth = slope(samples.filter(([minute]) => minute > minutes / 3)) / count
const { sent, received, reconnects } = await page.evaluate<{ sent: number; received: number; reconnects: number }>(
  '({ sent: soak.sent, received: soak.received, reconnects: soak.reconnects })',
)
process.stdout.write(
  `${count} clients, ${minutes} min: ${reconnects} connects, ${sent} packets sent, ${received} received; all connected ` +
    `${Math.round(recoveredMs)} ms after the last fault; objects grew ${Math.round(growth)} bytes per client and minute (at most ${MOST_GROWTH})\n`,
)
for (const error of errors) process.stdout.write(`error in the page: ${error}\n`)
const isWell = growth <= MOST_GROWTH && errors.length === 0 && received > 0
await browser.close()
process.exit(isWell ? 0 : 1)
