/** The examples in Chromium, as users bundle them. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { bundleForBrowser } from '../support/browser-bundle.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { Example } from '../support/example.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { PageServer, type ServedFile } from '../support/page-server.ts'
import { freePort, untilListening } from '../support/relays.ts'
import { trouble } from './page-trouble.ts'

const EXAMPLES = join(import.meta.dirname, '../../examples')
const FILES = ['store/relay-store.ts', 'react-hook/use-relay.ts', 'browser-pair/pair.ts'] as const
const MAX_LINES = 60

/** What the page gives the tests: the examples, and a component that uses the hook. */
const CODE = `
import * as wire from 'derphttp/protocol'
import { createElement } from ${pathOf('react')}
import { createRoot } from ${pathOf('react-dom/client')}
import { createRelayStore } from ${JSON.stringify(join(EXAMPLES, FILES[0]))}
import { useRelay } from ${JSON.stringify(join(EXAMPLES, FILES[1]))}
import { talk } from ${JSON.stringify(join(EXAMPLES, FILES[2]))}
function Shown({ url }) {
  const relay = useRelay(url)
  globalThis.relay = relay
  return createElement('p', {}, relay.state + ': ' + relay.messages.map(({ text }) => text).join(', '))
}
/** A client of \`derphttp/protocol\` alone, that sends a packet to itself. */
async function bareClient(url) {
  const socket = new WebSocket(url.replace('http', 'ws'), ['derp'])
  socket.binaryType = 'arraybuffer'
  const decoder = new wire.FrameDecoder(wire.CLIENT_LOGIN_BOUNDS)
  let wake
  socket.onmessage = ({ data }) => (decoder.push(new Uint8Array(data)), wake?.())
  const frame = async () => {
    while (!decoder.next()) await new Promise(resolve => (wake = resolve))
    const { type, buffer, start, length } = decoder
    return [type, buffer.slice(start + wire.FRAME_HEADER_LENGTH, start + wire.FRAME_HEADER_LENGTH + length)]
  }
  const privateKey = wire.NodePrivateKey.generate()
  const shared = await wire.portableAgreement.agree(privateKey, wire.readGreeting(...(await frame())))
  decoder.bounds = wire.CLIENT_BOUNDS
  const destination = privateKey.publicKey()
  socket.send(wire.encodeClientHello(destination, shared, { canAckPings: false, isProber: false }))
  wire.openServerInfo(shared, (await frame())[1])
  socket.send(wire.encodeClientToServer({ type: 'sendPacket', destination, data: Uint8Array.of(1, 2, 3) }))
  const { source, data } = wire.decodeServerToClient(...(await frame()))
  socket.close()
  return [source.equals(destination), ...data]
}
const root = createRoot(document.body.appendChild(document.createElement('main')))
globalThis.examples = {
  bareClient,
  createRelayStore,
  talk,
  show: url => root.render(url === undefined ? undefined : createElement(Shown, { url })),
}
`

function pathOf(name: string): string {
  return JSON.stringify(fileURLToPath(import.meta.resolve(name)))
}

test.each(FILES)('the example %s fits on a page', file => {
  expect(readFileSync(join(EXAMPLES, file), 'utf8').split('\n').length).toBeLessThanOrEqual(MAX_LINES)
})

describe.runIf(hasChromium)('in Chromium', () => {
  let browser: Browser
  let pages: PageServer
  let relay: ListeningRelay
  let page: Page
  let troubles: readonly string[]
  let url: string
  beforeAll(async () => {
    const [chunks, ...rest] = await Promise.all([bundleForBrowser(CODE), launchChromium(), ListeningRelay.start()])
    ;[browser, relay] = rest
    const html = '<!doctype html><link rel="icon" href="data:,"><body><script type="module" src="/main.js"></script>'
    const files = chunks.map(({ name, code }): [string, ServedFile] => [
      `/${name}`,
      { type: 'text/javascript', body: code },
    ])
    pages = await PageServer.start(new Map([['/', { type: 'text/html', body: html } as const], ...files]))
    url = `http://127.0.0.1:${relay.port}/derp`
  })
  afterAll(async () => {
    await browser.close()
    await pages[Symbol.asyncDispose]()
    await relay[Symbol.asyncDispose]()
  })
  beforeEach(async () => {
    page = await browser.newPage()
    troubles = trouble(page)
    await page.goto(`http://127.0.0.1:${pages.port}/`)
    await page.waitForFunction('globalThis.examples !== undefined')
  })
  afterEach(async () => {
    await page.close()
    expect(troubles).toEqual([])
  })
  const clients = () => relay.relay.core.counters.currentConnections

  test('derphttp/protocol is enough to build a client of', async () => {
    expect(await page.evaluate(`examples.bareClient('${url}')`)).toEqual([true, 1, 2, 3])
    await expect.poll(clients).toBe(0)
  })

  test('the store tells its listeners of state and messages, and sends', async () => {
    await page.evaluate(`(async () => {
      const [a, b] = await Promise.all([examples.createRelayStore('${url}'), examples.createRelayStore('${url}', 2)])
      globalThis.stores = [a, b]
      globalThis.changes = 0
      globalThis.leave = b.subscribe(() => changes++)
    })()`)
    await page.waitForFunction(`stores.every(store => store.getSnapshot().state === 'connected')`)
    await page.evaluate(`(async () => {
      const [a, b] = stores
      for (const text of ['one', 'two', 'three']) await a.send(b.getSnapshot().key, text)
    })()`)
    await page.waitForFunction(`stores[1].getSnapshot().messages.map(({ text }) => text).join() === 'two,three'`)
    expect(await page.evaluate(`stores[1].getSnapshot().messages[0].from === stores[0].getSnapshot().key`)).toBe(true)
    expect(await page.evaluate('changes')).toBeGreaterThanOrEqual(4)
    await page.evaluate(`leave(), changes = 0, stores.forEach(store => store.close())`)
    await expect.poll(clients).toBe(0)
    await page.waitForFunction(`stores[1].getSnapshot().state === 'closed'`)
    expect(await page.evaluate('changes')).toBe(0)
  })

  test('the hook is connected while its component is mounted, and renders what comes', async () => {
    await page.evaluate(`examples.show('${url}')`)
    await expect.poll(() => page.locator('p').innerText()).toBe('connected:')
    await page.evaluate(`relay.send(relay.key, 'to myself')`)
    await expect.poll(() => page.locator('p').innerText()).toBe('connected: to myself')
    expect(clients()).toBe(1)
    await page.evaluate('examples.show(undefined)')
    await expect.poll(clients).toBe(0)
    await expect(page.evaluate(`relay.send(relay.key, 'too late')`)).rejects.toThrow('closed')
  })

  test('the page with the hook, built as its README says, lets two tabs talk', async () => {
    await using example = new Example('react-hook')
    // The default, were it not for these tests.
    const build = await example.step({ env: { NODE_ENV: 'production' } })
    expect(await build.exit(), build.stderr).toBe(0)
    const port = await freePort()
    const preview = await example.step({ values: { '4173': String(port) } })
    await untilListening(port)
    const [a, b] = [await browser.newPage(), await browser.newPage()]
    const seen = [a, b].map(tab => trouble(tab))
    for (const tab of [a, b]) await tab.goto(`http://127.0.0.1:${port}/?relay=${encodeURIComponent(url)}`)
    for (const tab of [a, b]) await expect.poll(() => tab.locator('[name=state]').innerText()).toBe('connected')
    await a.getByLabel('to').fill('nobody')
    await a.getByLabel('text').fill('hello')
    await a.getByRole('button').click()
    await expect.poll(() => a.locator('[name=refusal]').innerText()).toContain('node public key')
    await a.getByLabel('to').fill(await b.locator('p code').innerText())
    await a.getByRole('button').click()
    await expect.poll(() => b.locator('li').allInnerTexts()).toEqual([expect.stringMatching(/ hello$/)])
    for (const name of ['refusal', 'problem']) expect(await a.locator(`[name=${name}]`).innerText()).toBe('')
    await b.goto(`http://127.0.0.1:${port}/?relay=nowhere`)
    await expect.poll(() => b.locator('[name=problem]').innerText()).toContain('"nowhere": not a URL')
    await Promise.all([a.close(), b.close()])
    await expect.poll(clients).toBe(0)
    await preview.stop('SIGINT')
    expect([...seen, example.left]).toEqual([[], [], []])
  })

  test('the page of the pair, built as its README says, lets two tabs meet', async () => {
    await using example = new Example('browser-pair')
    const build = await example.step({ env: { NODE_ENV: 'production' } })
    expect(await build.exit(), build.stderr).toBe(0)
    const port = await freePort()
    await example.step({ values: { '4173': String(port) } })
    await untilListening(port)
    const context = await browser.newContext()
    const host = await context.newPage()
    await host.goto(`http://127.0.0.1:${port}/?relay=${encodeURIComponent(url)}`)
    const opened = context.waitForEvent('page')
    await host.getByRole('link', { name: 'this link' }).click()
    const guest = await opened
    await expect.poll(() => host.locator('li').allInnerTexts()).toEqual(['hello'])
    for (const [from, to, text] of [
      [host, guest, 'welcome'],
      [guest, host, 'thanks'],
    ] as const) {
      await from.getByLabel('text').fill(text)
      await from.getByRole('button').click()
      await expect.poll(() => to.locator('li').last().innerText()).toBe(text)
    }
    await guest.goto(`http://127.0.0.1:${port}/?relay=nowhere`)
    await expect.poll(() => guest.locator('output').innerText()).toContain('"nowhere": not a URL')
    await context.close()
    await expect.poll(clients).toBe(0)
    expect(example.left).toEqual([])
  })

  test('two tabs meet by a link and talk', async () => {
    const link = await page.evaluate<string>(`(async () => {
      globalThis.heard = []
      globalThis.host = await examples.talk('${url}', new URL(location), text => heard.push(text))
      return host.link
    })()`)
    const guest = await browser.newPage()
    await guest.goto(link)
    await guest.waitForFunction('globalThis.examples !== undefined')
    await guest.evaluate(`(async () => {
      globalThis.heard = []
      globalThis.guest = await examples.talk('${url}', new URL(location), text => heard.push(text))
    })()`)
    await page.waitForFunction(`heard.join() === 'hello'`)
    await page.evaluate(`host.send('welcome')`)
    await guest.waitForFunction(`heard.join() === 'welcome'`)
    await guest.close()
    await page.evaluate('host.close()')
    await expect.poll(clients).toBe(0)
  })
})
