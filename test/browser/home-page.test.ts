/** The home page in Chromium: with and without script, and what axe finds. */

import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { startHomeRelay } from '../support/home-relay.ts'
import type { ListeningRelay } from '../support/listening-relay.ts'
import { findingsOf } from './axe.ts'
import { trouble } from './page-trouble.ts'

describe.runIf(hasChromium)('the home page', () => {
  let browser: Browser
  let relay: ListeningRelay
  let url: string
  beforeAll(async () => {
    ;[browser, relay] = await Promise.all([launchChromium(), startHomeRelay()])
    url = `http://127.0.0.1:${relay.port}/`
  })
  afterAll(async () => {
    await browser.close()
    await relay[Symbol.asyncDispose]()
  })

  test.each(['light', 'dark'] as const)('checks the relay, and is free of what axe finds, in %s', async colorScheme => {
    const page = await browser.newPage({ colorScheme })
    const troubles = trouble(page)
    await page.goto(url)
    await page.getByRole('button', { name: 'Check from this browser' }).click()
    await expect.poll(() => page.locator('.sum').innerText()).toMatch(/^No problems found/)
    const steps = await page.locator('.steps li').evaluateAll(lines => lines.map(line => line.className))
    expect(new Set(steps)).toEqual(new Set(['passed']))
    expect(await page.locator('.steps b + span').allInnerTexts()).toEqual(
      expect.arrayContaining(['HTTP', 'WebSocket', 'Login', 'Packet round trip', 'Ping']),
    )
    expect(await findingsOf(page)).toEqual([])
    await page.setViewportSize({ width: 360, height: 740 })
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
    expect(await findingsOf(page)).toEqual([])
    expect(troubles).toEqual([])
    await page.close()
  })

  test('says without script whether the relay works, and what to put into a map', async () => {
    const page = await browser.newPage({ javaScriptEnabled: false })
    const troubles = trouble(page)
    await page.goto(url)
    expect(await page.locator('#verdict').innerText()).toContain('It works')
    expect(JSON.parse(await page.locator('pre').innerText())).toMatchObject({
      Regions: { 900: { Nodes: [{ HostName: '127.0.0.1', DERPPort: relay.port }] } },
    })
    expect(await page.locator('#check').isVisible()).toBe(false)
    expect(troubles).toEqual([])
    await page.close()
  })
})
