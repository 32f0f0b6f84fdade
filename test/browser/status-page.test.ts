/** The status page in Chromium: its numbers, its work with many clients, and what axe finds. */

import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { varzSamples } from '../../scripts/metric-names.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import type { ListeningRelay } from '../support/listening-relay.ts'
import { RUNS_ALL } from '../support/selection.ts'
import { joinInMemory, startStatusRelay } from '../support/status-relay.ts'
import { findingsOf } from './axe.ts'
import { trouble } from './page-trouble.ts'

const MANY = RUNS_ALL ? 10_000 : 2_000
const TOKEN = 'status-token-0123456789'
/** Of two refreshes of the table and the reports meanwhile: mostly ages, one a row in sight. */
const MOST_CHANGES = 300

interface Work {
  /** Elements that were made for clients. */
  readonly added: number
  /** Texts and attributes that were changed. */
  readonly changed: number
  /** Charts that were drawn, and the most of them in one frame. */
  readonly charts: number
  readonly mostAtOnce: number
}

const COUNT_WORK = `{
  let [added, changed] = [0, 0]
  new MutationObserver(records => {
    changed += records.length
    const ofClients = records.filter(({ target }) => target.closest?.('#clients'))
    for (const { addedNodes } of ofClients) added += [...addedNodes].filter(({ nodeType }) => nodeType === 1).length
  }).observe(document.body, { childList: true, characterData: true, attributes: true, subtree: true })
  const drawn = new Map()
  const { clearRect } = CanvasRenderingContext2D.prototype
  CanvasRenderingContext2D.prototype.clearRect = function (...box) {
    const frame = document.timeline.currentTime
    drawn.set(frame, (drawn.get(frame) ?? new Set()).add(this.canvas))
    return clearRect.apply(this, box)
  }
  globalThis.countedWork = () => {
    const charts = [...drawn.values()]
    return {
      added,
      changed,
      charts: new Set(charts.flatMap(each => [...each])).size,
      mostAtOnce: Math.max(0, ...charts.map(({ size }) => size)),
    }
  }
}`

describe.runIf(hasChromium)('the status page', () => {
  let browser: Browser
  let relay: ListeningRelay
  let page: Page
  let troubles: readonly string[]
  /** Messages of the console that a test provokes. */
  let expected: RegExp | undefined

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser.close())
  beforeEach(async () => {
    relay = await startStatusRelay({ token: () => TOKEN })
    // How late this machine is, a busy one maybe, is no part of what the page has to say here.
    Object.assign(relay.relay.core.counters.eventLoopDelayMs, { observe: () => {} })
    page = await browser.newPage()
    expected = undefined
    troubles = trouble(page, text => expected?.test(text) === true)
  })
  afterEach(async () => {
    await page.close()
    await relay[Symbol.asyncDispose]()
    expect(troubles).toEqual([])
  })

  const workOf = () => page.evaluate<Work>('countedWork()')
  const open = () => page.goto(`http://127.0.0.1:${relay.port}/debug/status`)
  const text = (selector: string) => page.locator(selector).innerText()
  const untilText = (selector: string, wanted: string | RegExp) =>
    expect.poll(() => text(selector)).toMatch(new RegExp(wanted))

  test('shows live what /debug/varz says after a known load', async () => {
    await open()
    const [a, b] = [await joinInMemory(relay, 1), await joinInMemory(relay, 2)]
    for (let i = 0; i < 500; i++) a.packet(b.publicKey, new Uint8Array(1_000))
    for (let i = 0; i < 500; i++) await b.messageOf('receivedPacket')
    await untilText('[data-metric=derp_packets_sent]', '^500$')
    const samples = varzSamples(await (await fetch(`http://127.0.0.1:${relay.port}/debug/varz`)).text())
    const varz = new Map(samples.map(({ name, labels, value }) => [labels === '' ? name : `${name}{${labels}}`, value]))
    const shown = await page
      .locator('[data-metric]')
      .evaluateAll(cells =>
        cells.map(cell => [
          String(cell.getAttribute('data-metric')),
          String(cell.textContent).replace(/\(.*/, '').replaceAll('\u202f', ''),
        ]),
      )
    const steady = shown.filter(([metric]) => !/^process_|^derp_average_/.test(metric ?? ''))
    expect(steady.length).toBeGreaterThan(20)
    for (const [metric, value] of steady) expect([metric, Number(value)]).toEqual([metric, varz.get(metric ?? '')])
    expect(await text('#verdict-text')).toMatch(/^All is well: 2 clients connected, \d+ packets a second, none dropped/)
    await untilText('#client-count', '^2 connected$')
  })

  test('says what is wrong and what fixes it, and when the relay is gone', async () => {
    await open()
    let problem: string | undefined = 'certificate for relay.test has expired'
    relay.relay.readiness.add({ name: 'certificate', problem: () => problem })
    await untilText('#verdict-text', '^Certificate: certificate for relay.test has expired$')
    expect(await text('#problems')).toContain('put a valid certificate in place')
    expect(await page.locator('#verdict').getAttribute('class')).toBe('failing')
    problem = undefined
    await untilText('#verdict-text', '^All is well')
    expected = /ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_REFUSED/
    await relay[Symbol.asyncDispose]()
    await untilText('#verdict-text', '^No answer from the relay')
  })

  test('holds few elements and does bounded work with thousands of clients, which it sorts and filters', async () => {
    for (let at = 0; at < MANY; at += 200) {
      await Promise.all(
        Array.from({ length: 200 }, (_, i) => joinInMemory(relay, at + i, at + i === 777 ? 'needle' : 'hay')),
      )
    }
    await open()
    await untilText('#client-count', `^${MANY} connected$`)
    const rows = page.locator('#clients tbody tr:not(.space)')
    expect(await rows.count()).toBeLessThan(60)
    expect(await page.locator('*').count()).toBeLessThan(1_500)
    const box = page.locator('.rows')
    expect(await box.evaluate(element => element.scrollHeight)).toBeGreaterThan(MANY * 28)

    // Updates change what differs, in the rows that are there, and draw one chart a frame.
    await page.evaluate(COUNT_WORK)
    await page.waitForResponse(/\/clients\?/)
    await page.waitForResponse(/\/clients\?/)
    await expect.poll(async () => (await workOf()).charts).toBe(4)
    const { added, changed, mostAtOnce } = await workOf()
    expect([added, mostAtOnce]).toEqual([0, 1])
    expect(changed).toBeGreaterThan(0)
    expect(changed).toBeLessThan(MOST_CHANGES)

    await page.getByRole('button', { name: 'Address' }).click()
    await expect.poll(() => rows.first().innerText()).toContain('198.51.100.0')
    await box.evaluate(element => element.scrollTo(0, element.scrollHeight))
    await expect.poll(() => rows.last().getAttribute('aria-rowindex')).toBe(String(MANY + 1))
    expect(await rows.last().innerText()).toContain('198.51.100.249')
    await page.getByLabel('Filter').fill('needle')
    await untilText('#client-count', `^1 of ${MANY} connected$`)
    expect(await rows.count()).toBe(1)
    expect(await rows.first().innerText()).toContain('needle')
  })

  test('can be read without script, and logs in by its form', async () => {
    const context = await browser.newContext({
      javaScriptEnabled: false,
      extraHTTPHeaders: { 'X-Forwarded-For': '192.0.2.7' },
    })
    await joinInMemory(relay, 1, 'plain')
    const plain = await context.newPage()
    const plainTroubles = trouble(plain, text => /40[13]/.test(text))
    await plain.goto(`http://127.0.0.1:${relay.port}/debug/status`)
    await plain.getByLabel('Token').fill('wrong-token-0123456789')
    await plain.getByRole('button', { name: 'Log in' }).click()
    expect(await plain.getByRole('alert').innerText()).toContain('not the token')
    await plain.getByLabel('Token').fill(TOKEN)
    await plain.getByRole('button', { name: 'Log in' }).click()
    expect(await plain.locator('#verdict-text').innerText()).toMatch(/^All is well: 1 client connected/)
    expect(await plain.locator('#clients').innerText()).toContain('plain')
    const [cookie] = await context.cookies(`http://127.0.0.1:${relay.port}/debug/status`)
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/debug/status' })
    await plain.getByRole('button', { name: 'Log out' }).click()
    expect(await plain.getByLabel('Token').count()).toBe(1)
    expect(plainTroubles).toEqual([])
    await context.close()
  })

  test.each(['light', 'dark'] as const)('is free of what axe finds, in %s and on a phone', async colorScheme => {
    await page.emulateMedia({ colorScheme })
    await joinInMemory(relay, 1)
    relay.relay.readiness.add({ name: 'mesh', problem: () => 'no link to b.test', degradesOnly: true })
    await open()
    await untilText('#client-count', '^1 connected$')
    await untilText('figcaption >> nth=0', 'received')
    expect(await findingsOf(page)).toEqual([])
    await page.setViewportSize({ width: 360, height: 740 })
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(360)
    expect(await findingsOf(page)).toEqual([])
  })

  test('can be used with the keyboard alone', async () => {
    await joinInMemory(relay, 1)
    await open()
    await untilText('#client-count', '^1 connected$')
    const seen: string[] = []
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press('Tab')
      seen.push(await page.evaluate<string>('document.activeElement.id || document.activeElement.textContent'))
    }
    expect(seen).toContain('filter')
    expect(seen).toContain('Rate')
    await page.getByRole('button', { name: 'Queue' }).focus()
    await page.keyboard.press('Enter')
    expect(await page.locator('th[aria-sort]').innerText()).toBe('Queue')
    expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('descending')
  })
})
