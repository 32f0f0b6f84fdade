/** The demo in Chromium: two tabs of ours meet over our relay and over the stock one. */

import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { hasGo } from '../support/go-tools.ts'
import { startHomeRelay } from '../support/home-relay.ts'
import type { ListeningRelay } from '../support/listening-relay.ts'
import { startReferenceRelay } from '../support/relays.ts'
import { findingsOf } from './axe.ts'
import { trouble } from './page-trouble.ts'

/** The client's suite sends more. */
const FILE_BYTES = 2 << 20

describe.runIf(hasChromium)('the demo', () => {
  let browser: Browser
  let ours: ListeningRelay
  beforeAll(async () => {
    ;[browser, ours] = await Promise.all([launchChromium(), startHomeRelay()])
  })
  afterAll(async () => {
    await browser.close()
    await ours[Symbol.asyncDispose]()
  })

  /** Opens the page, and a second tab by its link. */
  async function openPair(context: BrowserContext, query = ''): Promise<readonly [host: Page, guest: Page]> {
    const host = await context.newPage()
    await host.goto(`http://127.0.0.1:${ours.port}/demo${query}`)
    await expect.poll(() => host.locator('#state').innerText()).toContain('waiting for another tab')
    const guest = await context.newPage()
    await guest.goto(await host.locator('#link').innerText())
    for (const page of [host, guest]) {
      await expect.poll(() => page.locator('#state').innerText()).toContain('Connected with the other tab')
    }
    return [host, guest]
  }

  async function exchange([host, guest]: readonly [Page, Page]): Promise<void> {
    await guest.getByLabel('Message', { exact: true }).fill('over there?')
    await guest.getByRole('button', { name: 'Send' }).click()
    await expect.poll(() => host.locator('#log').innerText()).toBe('Other tab: over there?')
    // The file is made in the page, as it is too large to be handed over by the driver quickly.
    await host.evaluate(`{
      const bytes = new Uint8Array(${FILE_BYTES})
      for (let at = 0; at < bytes.length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536))
      const files = new DataTransfer()
      files.items.add(new File([bytes], 'two.bin'))
      const input = document.querySelector('#file')
      input.files = files.files
      input.dispatchEvent(new Event('change'))
    }`)
    const row = (page: Page) => page.locator('#files tbody tr')
    await expect.poll(() => row(guest).innerText()).toContain('equal at both ends')
    const [sent, received] = await Promise.all([host, guest].map(page => row(page).locator('td').allInnerTexts()))
    expect(received?.slice(0, 2)).toEqual(['← two.bin', '100 % of 2 MiB'])
    expect(received?.[3]).toBe(`${sent?.[3]?.trim()} – equal at both ends`)
    expect(sent?.[3]).toMatch(/^[0-9a-f]{64}/)
    for (const page of [host, guest])
      await expect.poll(() => page.locator('#facts').innerText()).toMatch(/back\s+[\d.]+ ms/)
  }

  test('a link that was cut off, and a relay that is not there, are named', async () => {
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${ours.port}/demo#0123abcd`)
    await expect.poll(() => page.locator('#state').innerText()).toContain('not complete')
    expect(await page.locator('#link').isVisible()).toBe(true)
    await page.goto(`http://127.0.0.1:${ours.port}/demo?relay=${encodeURIComponent('http://127.0.0.1:9/derp')}`)
    await expect
      .poll(() => page.locator('#state').innerText())
      .toMatch(/^No connection, trying again: .*no relay there/)
    await page.close()
  })

  test('two tabs exchange messages and a file with equal hashes through ours (P-176)', async () => {
    const context = await browser.newContext()
    const pair = await openPair(context)
    const troubles = pair.map(page => trouble(page))
    await exchange(pair)
    const [host, guest] = pair
    await host.getByRole('button', { name: 'Diagnose' }).click()
    await expect.poll(() => host.locator('.sum').innerText()).toMatch(/^No problems found/)
    await guest.close()
    await expect.poll(() => host.locator('#state').innerText()).toBe('The other tab has left the relay.')
    expect(troubles).toEqual([[], []])
    await context.close()
  })

  test('does not show the token of its relay', async () => {
    const page = await browser.newPage()
    const query = `?relay=${encodeURIComponent('/derp?token=secret-0123456789')}`
    await page.goto(`http://127.0.0.1:${ours.port}/demo${query}`)
    await expect.poll(() => page.locator('#facts').innerText()).toContain('/derp?token=hidden')
    await page.close()
  })

  test.runIf(hasGo)('two tabs exchange messages and a file with equal hashes through stock derper', async () => {
    const stock = await startReferenceRelay()
    const context = await browser.newContext()
    const pair = await openPair(context, `?relay=${encodeURIComponent(stock.url)}`)
    const troubles = pair.map(page => trouble(page))
    await exchange(pair)
    await pair[0].getByRole('button', { name: 'Diagnose' }).click()
    await expect.poll(() => pair[0].locator('.sum').innerText()).toMatch(/^No problems found/)
    expect(troubles).toEqual([[], []])
    await context.close()
    await stock.stop()
  })

  test.each(['light', 'dark'] as const)(
    'is free of what axe finds before and after it has met, in %s',
    async scheme => {
      const context = await browser.newContext({ colorScheme: scheme, viewport: { width: 360, height: 740 } })
      const [host, guest] = await openPair(context)
      await guest.getByLabel('Message', { exact: true }).fill('hello')
      await guest.keyboard.press('Enter')
      await expect.poll(() => host.locator('#log').innerText()).toContain('hello')
      expect(await findingsOf(host)).toEqual([])
      expect(await host.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
      const alone = await context.newPage()
      await alone.goto(`http://127.0.0.1:${ours.port}/demo`)
      await expect.poll(() => alone.locator('#invite svg').count()).toBe(1)
      expect(await findingsOf(alone)).toEqual([])
      expect(await alone.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
      await context.close()
    },
  )
})
