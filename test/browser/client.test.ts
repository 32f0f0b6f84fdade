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

const RELAYS: readonly (readonly [name: string, start: () => Promise<RunningRelay>, isThere: boolean])[] = [
  ['ours', startOurRelay, true],
  ['stock derper', startReferenceRelay, hasGo],
]

describe.each(RELAYS)('against %s', (_name, start, isThere) => {
  describe.runIf(BROWSER.isThere && isThere)(`in ${BROWSER.name}`, () => {
    let relay: RunningRelay
    let control: ProxyControl
    let environment: CaseEnvironment

    beforeAll(async () => {
      relay = await start()
      control = await ProxyControl.start(relay.port)
      const proxiedUrl = `http://127.0.0.1:${control.proxy.port}/derp`
      environment = { url: relay.url, proxiedUrl, controlUrl: control.url }
    })
    afterAll(async () => {
      await control[Symbol.asyncDispose]()
      await relay.stop()
    })

    describe.each<[Origin, string]>([
      ['secure', 'WebCrypto'],
      ['insecure', 'the curve in JavaScript'],
    ])('a page from an %s origin, with %s', (origin, _curve) => {
      let page: DrivenPage
      let before: number
      beforeAll(async () => {
        before = pages.requests.length
        page = await openTestPage(pages, browser, origin)
      })
      afterAll(() => page.close())

      test.each(CASES.map(({ name }) => name))('%s', async name => {
        await page.evaluate(([name, env]) => globalThis.testPage.runCase(name, env), [name, environment] as const)
      })

      test('loads the JavaScript curve only if WebCrypto lacks it', async () => {
        expect(await page.evaluate(() => globalThis.crypto.subtle !== undefined)).toBe(origin === 'secure')
        const loaded = pages.requests.slice(before).filter(path => path.includes('x25519'))
        expect(loaded).toHaveLength(origin === 'secure' ? 0 : 1)
      })
    })

    test('everything runs in a worker', async () => {
      const page = await openTestPage(pages, browser)
      for (const { name } of CASES) {
        await page.evaluate(([name, env]) => globalThis.testPage.runCaseInWorker(name, env), [
          name,
          environment,
        ] as const)
      }
      await page.close()
    })

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
    const { url, stop } = await startOurRelay(['-tokens-file', join(folder, 'tokens')])
    const page = await openTestPage(pages, browser)
    const outcomeOf = (url: string, token?: string) =>
      page.evaluate(([url, token]) => globalThis.testPage.loginOutcome(url, token), [url, token] as const)
    expect(await outcomeOf(url, TOKEN)).toBe('serverInfo')
    expect(await outcomeOf(`${url}?token=${encodeURIComponent(TOKEN)}`)).toBe('serverInfo')
    expect(await outcomeOf(url)).toBe('ERR_DERP_CONN_CLOSED')
    expect(await outcomeOf(url, `${TOKEN}x`)).toBe('ERR_DERP_CONN_CLOSED')
    await page.close()
    await stop()
    rmSync(folder, { recursive: true })
  },
)
