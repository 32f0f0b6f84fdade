/**
 * Frame times of the status page with ten thousand clients, while it is updated, scrolled and sorted.
 *
 * Fails if a frame or a task of the page takes 50 ms. Not a test: times depend on what else the machine does; the tests of
 * the page count its work instead.
 */

import type { CDPSession, Page } from 'playwright-core'
import { launchChromium } from '../support/chromium.ts'
import { joinInMemory, startStatusRelay } from '../support/status-relay.ts'

const CLIENTS = 10_000
const STEPS = 100
const LIMIT_MS = 50

/** Longest tasks and frames since the page was told to watch, in milliseconds. */
interface Watched {
  readonly tasks: number[]
  readonly frames: number[]
}

async function watch(page: Page): Promise<void> {
  await page.evaluate(`{
    globalThis.watched = { tasks: [], frames: [] }
    const { tasks, frames } = watched
    new PerformanceObserver(list => tasks.push(...list.getEntries().map(({ duration }) => duration)))
      .observe({ entryTypes: ['longtask'] })
    let last = performance.now()
    const next = now => {
      frames.push(now - last)
      last = now
      requestAnimationFrame(next)
    }
    requestAnimationFrame(next)
  }`)
}

/** Milliseconds of processor that the page's thread has used, by kind of work. */
async function workOf(session: CDPSession): Promise<ReadonlyMap<string, number>> {
  const { metrics } = await session.send('Performance.getMetrics')
  return new Map(metrics.map(({ name, value }) => [name, value * 1_000]))
}

const quantile = (sorted: readonly number[], share: number) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0

const [browser, relay] = await Promise.all([launchChromium(), startStatusRelay()])
for (let at = 0; at < CLIENTS; at += 200) {
  await Promise.all(Array.from({ length: 200 }, (_, i) => joinInMemory(relay, at + i)))
}
const page = await browser.newPage()
await page.goto(`http://127.0.0.1:${relay.port}/debug/status`)
await page.waitForFunction(`document.querySelector('#client-count')?.textContent === '${CLIENTS} connected'`)
const session = await page.context().newCDPSession(page)
// Processor time, which depends less on what else the machine does.
await session.send('Performance.enable', { timeDomain: 'threadTicks' })
await watch(page)
const [before, startMs] = [await workOf(session), performance.now()]
for (let step = 0; step < STEPS; step++) {
  await page.locator('.rows').evaluate((box, share) => box.scrollTo(0, share * box.scrollHeight), step / STEPS)
  if (step % 25 === 0) await page.getByRole('button', { name: 'Address' }).click()
  await page.waitForTimeout(100)
}
const { tasks, frames } = await page.evaluate<Watched>('watched')
const [after, seconds] = [await workOf(session), (performance.now() - startMs) / 1_000]
await browser.close()
await relay[Symbol.asyncDispose]()
frames.sort((a, b) => a - b)
const longest = Math.max(0, ...tasks)
const ms = (value: number) => `${value.toFixed(1)} ms`
const work = ['Task', 'Script', 'Layout', 'RecalcStyle'].map(kind => {
  const name = `${kind}Duration`
  return `${kind} ${ms(((after.get(name) ?? 0) - (before.get(name) ?? 0)) / seconds)}`
})
process.stdout.write(
  `${frames.length} frames: median ${ms(quantile(frames, 0.5))}, 99 % within ${ms(quantile(frames, 0.99))}, longest ${ms(quantile(frames, 1))}\n` +
    `tasks above ${LIMIT_MS} ms: ${tasks.length}${longest > 0 ? `, the longest ${ms(longest)}` : ''}\n` +
    `processor time of the page's thread in a second: ${work.join(', ')}\n`,
)
process.exit(longest > LIMIT_MS || quantile(frames, 1) >= LIMIT_MS ? 1 : 0)
