/** Takes the pictures of the pages, light and dark, into `docs/images`. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, BrowserContext } from 'playwright-core'
import { launchChromium } from '../test/support/chromium.ts'
import { startHomeRelay } from '../test/support/home-relay.ts'
import type { ListeningRelay } from '../test/support/listening-relay.ts'
import { joinInMemory } from '../test/support/status-relay.ts'

const FOLDER = join(import.meta.dirname, '../docs/images')
const CLIENTS = 60
/** Seconds of traffic before the picture: the charts begin empty. */
const TRAFFIC_S = 40
const SCHEMES = ['light', 'dark'] as const

/** Clients send packets to each other, some more than others. @returns a function that ends it. */
async function startTraffic(relay: ListeningRelay): Promise<() => void> {
  const clients = await Promise.all(Array.from({ length: CLIENTS }, (_, at) => joinInMemory(relay, at, 'tailscaled')))
  let turn = 0
  const timer = setInterval(() => {
    turn++
    for (const [at, client] of clients.entries()) {
      const peer = clients[(at * 7 + 3) % clients.length]
      const packets = Math.round((at % 9) * (1.2 + Math.sin(turn / 30 + at)))
      for (let i = 0; i < packets; i++) if (peer !== undefined) client.packet(peer.publicKey, new Uint8Array(1_200))
    }
  }, 100)
  const receiving = clients.map(async client => {
    for (;;) await client.messageOf('receivedPacket')
  })
  // They end with the relay.
  for (const each of receiving) each.catch(() => {})
  return () => clearInterval(timer)
}

async function pictureStatus(context: BrowserContext, url: string, path: string): Promise<void> {
  const page = await context.newPage()
  await page.goto(`${url}/debug/status`)
  await page.waitForTimeout(TRAFFIC_S * 1_000)
  await page.screenshot({ path })
}

async function pictureDemo(context: BrowserContext, url: string, path: string): Promise<void> {
  const host = await context.newPage()
  await host.goto(`${url}/demo`)
  await host.locator('#invite svg').waitFor()
  const guest = await context.newPage()
  await guest.goto(await host.locator('#link').innerText())
  const say = async (page: typeof host, text: string) => {
    await page.getByLabel('Message', { exact: true }).fill(text)
    await page.getByRole('button', { name: 'Send' }).click()
  }
  await say(guest, 'Hello from the other tab')
  await host.getByText('Hello from the other tab').waitFor()
  await say(host, 'Here is the file')
  await host
    .getByLabel('File', { exact: true })
    .setInputFiles({ name: 'holiday.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(5_000_000, 7) })
  await guest.getByText('equal at both ends').waitFor()
  await guest.getByRole('button', { name: 'Diagnose' }).click()
  await guest.getByText('No problems found').waitFor()
  await guest.evaluate('scrollTo(0, 0)')
  await guest.screenshot({ path })
}

async function takeAll(browser: Browser, url: string): Promise<void> {
  await Promise.all(
    SCHEMES.map(async colorScheme => {
      const wide = await browser.newContext({ colorScheme, viewport: { width: 1_100, height: 820 } })
      await pictureStatus(wide, url, join(FOLDER, `status-${colorScheme}.png`))
      const narrow = await browser.newContext({ colorScheme, viewport: { width: 760, height: 820 } })
      await pictureDemo(narrow, url, join(FOLDER, `demo-${colorScheme}.png`))
    }),
  )
}

mkdirSync(FOLDER, { recursive: true })
const [browser, relay] = await Promise.all([launchChromium(), startHomeRelay()])
const endTraffic = await startTraffic(relay)
await takeAll(browser, `http://127.0.0.1:${relay.port}`)
endTraffic()
await browser.close()
await relay[Symbol.asyncDispose]()
