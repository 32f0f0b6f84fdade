/** Clients of pages that go offline, are hidden or frozen, and come back, in Chromium. */

import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { hasChromium, launchNaturalChromium, type NaturalBrowser } from '../support/chromium.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import type { PageServer } from '../support/page-server.ts'
import { until } from '../support/settle.ts'
import { openTestPage, startPageServer } from './test-page.ts'

/** What never comes within a test: only an event of the page can be why a client acts. */
const NEVER_MS = 3_600_000

describe.runIf(hasChromium)('in Chromium', () => {
  let browser: NaturalBrowser
  let pages: PageServer
  let relay: ListeningRelay
  let proxy: FaultProxy
  let page: Page

  beforeAll(async () => {
    ;[browser, pages] = await Promise.all([launchNaturalChromium(), startPageServer()])
    relay = await ListeningRelay.start()
  })
  afterAll(async () => {
    await browser[Symbol.asyncDispose]()
    await pages[Symbol.asyncDispose]()
    await relay[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    proxy = await FaultProxy.start(relay.port)
    page = await openTestPage(pages, browser.context)
  })
  afterEach(async () => {
    await page.close()
    await proxy[Symbol.asyncDispose]()
  })

  const proxiedUrl = () => `http://127.0.0.1:${proxy.port}/derp`
  const watch = (numbers: Record<string, number>) =>
    page.evaluate(([url, numbers]) => globalThis.testPage.watchClient(url, numbers), [proxiedUrl(), numbers] as const)
  const untilState = (wanted: string) =>
    page.waitForFunction(wanted => globalThis.testPage.watched?.states.at(-1)?.startsWith(wanted), wanted)

  /** Puts another page in front. */
  const hide = async (): Promise<Page> => {
    const other = await browser.context.newPage()
    await other.bringToFront()
    await expect.poll(() => page.evaluate<string>('document.visibilityState')).toBe('hidden')
    return other
  }
  const setOnline = async (isOnline: boolean) => {
    const session = await browser.context.newCDPSession(page)
    const unlimited = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 }
    await session.send('Network.emulateNetworkConditions', { offline: !isOnline, ...unlimited })
    await session.detach()
  }
  const setLife = async (state: 'frozen' | 'active') => {
    const session = await browser.context.newCDPSession(page)
    await session.send('Page.setWebLifecycleState', { state })
    await session.detach()
  }

  test('a resilient client connects immediately when its page is online again', async () => {
    await watch({ backoffMinMs: 20 })
    proxy.gate = 'refusing'
    proxy.spoilAll('cut')
    await untilState('waiting')
    await page.evaluate('testPage.watched.random = 0')
    proxy.gate = 'open'
    await setOnline(false)
    await setOnline(true)
    await untilState('connected')
  })

  test('a resilient client detects a dead connection immediately when its page is shown again', async () => {
    await watch({ pingIntervalMs: NEVER_MS, healthyAfterMs: NEVER_MS, pingTimeoutMs: 200, backoffMinMs: 1 })
    await page.evaluate('testPage.watched.random = 0')
    await hide()
    proxy.spoilAll('halfOpen', NEVER_MS)
    await page.bringToFront()
    await until(() => proxy.accepted === 2, 'the client has connected again')
    await untilState('connected')
  })

  test('a resilient client reconnects when its page is resumed, as browsers close connections of frozen pages', async () => {
    await watch({ backoffMinMs: 1 })
    await page.evaluate('testPage.watched.random = 0')
    await hide()
    await setLife('frozen')
    await setLife('active')
    await until(() => proxy.accepted === 2, 'the client has connected again')
    await page.bringToFront()
    await untilState('connected')
  })
})
