/** bench/go's `flow` with our client: same flags, same output. */

import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Client } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { parseDuration } from '../../src/lib/duration.ts'
import { usageNow, windowBetween } from './processor.ts'

/** A sender and its receiver, with a window of packets in flight. */
class Pair {
  readonly #from: Client
  readonly #to: Client
  #free: number
  #onFree: (() => void) | undefined
  received = 0

  constructor(from: Client, to: Client, window: number) {
    this.#from = from
    this.#to = to
    this.#free = window
  }

  async send(size: number): Promise<void> {
    const packet = new Uint8Array(size)
    const destination = this.#to.selfPublicKey()
    for (;;) {
      if (this.#free === 0) await new Promise<void>(resolve => (this.#onFree = resolve))
      this.#free--
      await this.#from.send(destination, packet)
    }
  }

  async receive(): Promise<void> {
    for await (const message of this.#to) {
      if (message.type !== 'receivedPacket') continue
      this.received++
      this.#free++
      this.#onFree?.()
      this.#onFree = undefined
    }
  }
}

async function login(url: string, ca: string): Promise<Client> {
  const client = new Client(NodePrivateKey.generate(), url, { tlsConfig: { ca: readFileSync(ca) } })
  for await (const { type } of client) if (type === 'serverInfo') break
  return client
}

function say(event: string, data?: unknown): void {
  process.stdout.write(`${JSON.stringify({ event, data })}\n`)
}

/** Duration in milliseconds. */
function time(text: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  throw new Error(`read duration "${text}": not in Go's notation`)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    allowPositionals: true,
    options: {
      url: { type: 'string', default: '' },
      ca: { type: 'string', default: '' },
      pid: { type: 'string', default: '' },
      pairs: { type: 'string', default: '20' },
      size: { type: 'string', default: '1280' },
      window: { type: 'string', default: '32' },
      warmup: { type: 'string', default: '1s' },
      duration: { type: 'string', default: '2s' },
    },
  })
  const pairs: Pair[] = []
  for (let at = 0; at < Number(values.pairs); at++) {
    pairs.push(new Pair(await login(values.url, values.ca), await login(values.url, values.ca), Number(values.window)))
  }
  const fail = (error: unknown) => {
    process.stderr.write(`load: ${error}\n`)
    process.exit(1)
  }
  for (const pair of pairs) Promise.all([pair.send(Number(values.size)), pair.receive()]).catch(fail)
  const received = () => pairs.reduce((sum, pair) => sum + pair.received, 0)
  await delay(time(values.warmup))
  say('ready')
  const [then, packetsThen] = [usageNow(Number(values.pid)), received()]
  await delay(time(values.duration))
  const window = windowBetween(then, usageNow(Number(values.pid)))
  say('result', { ...window, packets: received() - packetsThen, lost: 0 })
  process.exit()
}

await main()
