/**
 * The suite of `derphttp/browser` in a browser: in pages with and without WebCrypto and in a worker, against both relays.
 *
 * `npm test` runs it in Chromium, `npm run test:all` in Firefox too.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BROWSER, type DrivenBrowser, type DrivenPage } from '../support/browsers.ts'
import { hasGo } from '../support/go-tools.ts'
import type { PageServer } from '../support/page-server.ts'
import { ProxyControl } from '../support/proxy-control.ts'
import { type RunningRelay, startOurRelay, startReferenceRelay } from '../support/relays.ts'
import type { CaseEnvironment } from './cases/case.ts'
import { CASES } from './cases/index.ts'
import { type Origin, openTestPage, startPageServer } from './test-page.ts'

const FILE_BYTES = 10 << 20
/** On a busy machine a page may not read for two seconds, for which relays disconnect it. */
const PATIENT = ['-tcp-write-timeout', '60s']
const NO_DRAIN = ['-drain-time', '0s']
/** With characters that a sub-protocol and a query cannot hold as they are. */
const TOKEN = 'a/token+0123456789=='

let browser: DrivenBrowser
let pages: PageServer
if (BROWSER.isThere) {
  beforeAll(async () => {
    ;[browser, pages] = await Promise.all([BROWSER.launch(), startPageServer()])
  })
  afterAll(async () => {
    await browser.close()
    await pages[Symbol.asyncDispose]()
  })
}

/** What is read of a page's globals. */
interface PageScope {
  readonly crypto: { readonly subtle?: object }
  readonly performance: { getEntriesByType(type: string): readonly { readonly name: string }[] }
}

const RELAYS: readonly (readonly [name: string, start: () => Promise<RunningRelay>, isThere: boolean])[] = [
  ['ours', () => startOurRelay([...NO_DRAIN, ...PATIENT]), true],
  ['stock derper', () => startReferenceRelay(PATIENT), hasGo],
]

/** Runs all cases in turn. @returns what becomes of each, by its name. */
function runCases(run: (name: string) => Promise<void>): ReadonlyMap<string, Promise<void>> {
  let before: Promise<void> = Promise.resolve()
  return new Map(
    CASES.map(({ name }) => {
      const outcome = before.then(() => run(name))
      before = outcome.catch(() => {})
      return [name, outcome]
    }),
  )
}

/** Where cases run: a page from an origin, or a worker of one. */
interface Place {
  readonly name: string
  readonly origin: Origin
  readonly run: 'runCase' | 'runCaseInWorker'
}

const PLACES: readonly Place[] = [
  { name: 'a page from a secure origin, with WebCrypto', origin: 'secure', run: 'runCase' },
  { name: 'a page from an insecure origin, with the curve in JavaScript', origin: 'insecure', run: 'runCase' },
  { name: 'a worker', origin: 'secure', run: 'runCaseInWorker' },
]

describe.each(RELAYS)('against %s', (_name, start, isThere) => {
  describe.runIf(BROWSER.isThere && isThere)(`in ${BROWSER.name}`, () => {
    let relay: RunningRelay
    const controls: ProxyControl[] = []
    const opened = new Map<
      Place,
      { readonly page: DrivenPage; readonly outcomes: ReadonlyMap<string, Promise<void>> }
    >()

    // All places at a time: cases mostly wait.
    beforeAll(async () => {
      relay = await start()
      for (const place of PLACES) {
        const control = await ProxyControl.start(relay.port)
        controls.push(control)
        const proxiedUrl = `http://127.0.0.1:${control.proxy.port}/derp`
        const environment: CaseEnvironment = { url: relay.url, proxiedUrl, controlUrl: control.url }
        const page = await openTestPage(pages, browser, place.origin)
        const outcomes = runCases(name =>
          page.evaluate(([run, name, env]) => globalThis.testPage[run](name, env), [
            place.run,
            name,
            environment,
          ] as const),
        )
        opened.set(place, { page, outcomes })
      }
    })
    afterAll(async () => {
      await Promise.all([...opened.values()].map(({ page }) => page.close()))
      await Promise.all(controls.map(control => control[Symbol.asyncDispose]()))
      await relay.stop()
    })

    describe.each(PLACES)('in $name', place => {
      test.each(CASES.map(({ name }) => name))('%s', async name => {
        await opened.get(place)?.outcomes.get(name)
      })
    })

    test.each(PLACES.filter(({ run }) => run === 'runCase'))(
      '$name loads the JavaScript curve only if WebCrypto lacks it',
      async place => {
        const { page, outcomes } = opened.get(place) ?? {}
        if (outcomes !== undefined) await Promise.allSettled(outcomes.values())
        const seen = await page?.evaluate(() => {
          const { crypto, performance } = globalThis as unknown as PageScope
          const loaded = performance.getEntriesByType('resource').filter(({ name }) => name.includes('x25519'))
          return { hasWebCrypto: crypto.subtle !== undefined, curves: loaded.length }
        })
        const isSecure = place.origin === 'secure'
        expect(seen).toEqual({ hasWebCrypto: isSecure, curves: isSecure ? 0 : 1 })
      },
    )

    test('two tabs exchange 10 MB with equal hashes', async () => {
      const context = await browser.newContext()
      const [receiver, sender] = [await openTestPage(pages, context), await openTestPage(pages, context)]
      const key = await receiver.evaluate(
        async ([url, bytes]) => {
          const { key, done } = await globalThis.testPage.receiveFile(url, bytes)
          Object.assign(globalThis, { done })
          return key
        },
        [relay.url, FILE_BYTES] as const,
      )
      const sent = await sender.evaluate(([url, key, bytes]) => globalThis.testPage.sendFile(url, key, bytes), [
        relay.url,
        key,
        FILE_BYTES,
      ] as const)
      const received = await receiver.evaluate(() => (globalThis as unknown as { done: Promise<unknown> }).done)
      expect(received).toEqual(sent)
      expect(sent).toEqual({ bytes: FILE_BYTES, hash: expect.stringMatching(/^[0-9a-f]{64}$/) })
      await context.close()
    })
  })
})

test.runIf(BROWSER.isThere)(
  'a page shows its token as a sub-protocol or in the query, and is refused without',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokens-'))
    writeFileSync(join(folder, 'tokens'), `page ${TOKEN}\n`)
    const tokenRelay = await startOurRelay([...NO_DRAIN, '-tokens-file', join(folder, 'tokens')])
    const { url } = tokenRelay
    const page = await openTestPage(pages, browser)
    const outcomeOf = (url: string, token?: string) =>
      page.evaluate(([url, token]) => globalThis.testPage.loginOutcome(url, token), [url, token] as const)
    const outcomes = await Promise.all([
      outcomeOf(url, TOKEN),
      outcomeOf(`${url}?token=${encodeURIComponent(TOKEN)}`),
      outcomeOf(url),
      outcomeOf(url, `${TOKEN}x`),
    ])
    expect(outcomes).toEqual(['serverInfo', 'serverInfo', 'ERR_DERP_CONN_CLOSED', 'ERR_DERP_CONN_CLOSED'])
    await page.close()
    await tokenRelay.stop()
    rmSync(folder, { recursive: true })
  },
)
