/**
 * Two pages of Chromium that exchange packets through our relay, beside one page and a plain WebSocket echo.
 *
 * Both carry each byte into the browser and out of it once. Prints a table: node bench/browser/main.ts [--mb 200] [--rounds 5]
 */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Browser, CDPSession, Page } from 'playwright-core'
import { BROWSER_ENTRY, bundleForBrowser } from '../../test/support/browser-bundle.ts'
import { launchChromium } from '../../test/support/chromium.ts'
import { PageServer, type ServedFile } from '../../test/support/page-server.ts'

const SIZES = [1_280, 32_768] as const
/** Bytes on their way, as the demo has them: half of what stock relays queue for a client. */
const WINDOW_BYTES = 524_288

/** The pages: `receive` tells of each batch that has come, `send` waits for that; `echo` does both over a bare WebSocket. */
const CODE = `
import { Client, NodePrivateKey, NodePublicKey } from ${JSON.stringify(BROWSER_ENTRY)}
const windowOf = size => Math.max(1, Math.min(32, Math.floor(${WINDOW_BYTES} / size)))
globalThis.bench = {
  async receive(url, size) {
    const client = new Client(await NodePrivateKey.generate(), url)
    await client.connect()
    const every = Math.max(1, windowOf(size) >> 1)
    void (async () => {
      let count = 0
      for await (const message of client) {
        if (message.type !== 'receivedPacket') continue
        count++
        if (count % every === 0) await client.send(message.source, Uint8Array.of(1))
      }
    })().catch(() => {})
    bench.close = () => client.close()
    return String(client.selfPublicKey())
  },
  async send(url, key, size, count) {
    const client = new Client(await NodePrivateKey.generate(), url)
    await client.connect()
    const [peer, data, window] = [NodePublicKey.parse(key), new Uint8Array(size), windowOf(size)]
    const every = Math.max(1, window >> 1)
    let [sent, arrived] = [0, 0]
    const next = async () => {
      while ((await client.recv()).type !== 'receivedPacket');
      arrived += every
    }
    const startMs = performance.now()
    while (sent < count) {
      if (sent - arrived >= window) await next()
      else { sent++; await client.send(peer, data) }
    }
    while (sent - arrived >= every) await next()
    const ms = performance.now() - startMs
    await client.close()
    return ms
  },
  echo(url, size, count) {
    const socket = new WebSocket(url)
    socket.binaryType = 'arraybuffer'
    const [data, window] = [new Uint8Array(size), windowOf(size)]
    return new Promise(resolve => {
      let [sent, arrived, startMs] = [0, 0, 0]
      const fill = () => { for (; sent < count && sent - arrived < window; sent++) socket.send(data) }
      socket.onopen = () => { startMs = performance.now(); fill() }
      socket.onmessage = () => {
        if (++arrived === count) { socket.close(); resolve(performance.now() - startMs) } else fill()
      }
    })
  },
}
`

/** A server in a process of its own. */
class Server {
  readonly #child: ReturnType<typeof fork>
  readonly url: string

  private constructor(child: ReturnType<typeof fork>, url: string) {
    this.#child = child
    this.url = url
  }

  static async start(kind: 'relay' | 'echo'): Promise<Server> {
    const child = fork(join(import.meta.dirname, 'server.ts'), [kind])
    const [url] = (await once(child, 'message')) as [string]
    return new Server(child, url)
  }

  /** Seconds of processor that it has used. */
  async cpuSeconds(): Promise<number> {
    this.#child.send('cpu')
    const [seconds] = (await once(this.#child, 'message')) as [number]
    return seconds
  }

  stop(): void {
    this.#child.kill()
  }
}

async function browserCpu(session: CDPSession): Promise<number> {
  const { processInfo } = await session.send('SystemInfo.getProcessInfo')
  return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0)
}

interface Round {
  readonly mbPerSecond: number
  /** Microseconds of processor for each packet. */
  readonly serverUs: number
  readonly browserUs: number
}

async function measure(
  session: CDPSession,
  server: Server,
  bytes: number,
  count: number,
  run: () => Promise<number>,
): Promise<Round> {
  const before = [await server.cpuSeconds(), await browserCpu(session)] as const
  const ms = await run()
  const [serverS, browserS] = [(await server.cpuSeconds()) - before[0], (await browserCpu(session)) - before[1]]
  const perPacket = (seconds: number) => (seconds * 1e6) / count
  return { mbPerSecond: bytes / ms / 1_000, serverUs: perPacket(serverS), browserUs: perPacket(browserS) }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

async function openPage(browser: Browser, port: number): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${port}/`)
  await page.waitForFunction('globalThis.bench !== undefined')
  return page
}

const { values } = parseArgs({
  options: { mb: { type: 'string', default: '100' }, rounds: { type: 'string', default: '5' } },
})
const [browser, relay, echo, chunks] = await Promise.all([
  launchChromium(),
  Server.start('relay'),
  Server.start('echo'),
  bundleForBrowser(CODE),
])
const html = '<!doctype html><link rel="icon" href="data:,"><script type="module" src="/main.js"></script>'
const files = chunks.map(({ name, code }): [string, ServedFile] => [
  `/${name}`,
  { type: 'text/javascript', body: code },
])
const pages = await PageServer.start(new Map([['/', { type: 'text/html', body: html } as const], ...files]))
const session = await browser.newBrowserCDPSession()
const [sender, receiver] = [await openPage(browser, pages.port), await openPage(browser, pages.port)]

process.stdout.write(
  '| packets | way | MB/s | server CPU per packet, µs | browser CPU per packet, µs |\n|---|---|--:|--:|--:|\n',
)
for (const size of SIZES) {
  const count = Math.floor((Number(values.mb) * 1e6) / size)
  const rounds = { pair: [] as Round[], echo: [] as Round[] }
  for (let round = 0; round < Number(values.rounds); round++) {
    const key = await receiver.evaluate(`bench.receive('${relay.url}', ${size})`)
    const send = () => sender.evaluate<number>(`bench.send('${relay.url}', '${key}', ${size}, ${count})`)
    rounds.pair.push(await measure(session, relay, size * count, count, send))
    await receiver.evaluate('bench.close()')
    const echoAll = () => sender.evaluate<number>(`bench.echo('${echo.url}', ${size}, ${count})`)
    rounds.echo.push(await measure(session, echo, size * count, count, echoAll))
  }
  for (const [way, results] of [
    ['two pages, our relay', rounds.pair],
    ['one page, WebSocket echo', rounds.echo],
  ] as const) {
    const of = (name: keyof Round) => median(results.map(result => result[name]))
    const cells = [
      `${size} B`,
      way,
      of('mbPerSecond').toFixed(1),
      of('serverUs').toFixed(1),
      of('browserUs').toFixed(1),
    ]
    process.stdout.write(`| ${cells.join(' | ')} |\n`)
  }
}
relay.stop()
echo.stop()
await browser.close()
await pages[Symbol.asyncDispose]()
