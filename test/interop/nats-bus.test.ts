/** The bus of a region on real NATS servers. */

import { afterEach, describe, expect, test } from 'vitest'
import type { Bus, BusHandler } from '../../src/backplane/bus.ts'
import { NatsBus, type NatsBusOptions } from '../../src/backplane/nats-bus.ts'
import { encodeUtf8 } from '../../src/lib/bytes.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { type LogFields, silentLog } from '../../src/lib/log.ts'
import { hasGo } from '../support/go-tools.ts'
import { type NatsServer, startNatsCluster, startNatsServer } from '../support/nats-server.ts'
import { until } from '../support/settle.ts'

const A = '00000000000000aa'
const B = '00000000000000bb'
const C = '00000000000000cc'

const cleanups: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** What a bus brought. */
class Inbox implements BusHandler {
  readonly bus: Bus
  readonly messages: string[] = []
  readonly downs: string[] = []
  ups = 0

  constructor(bus: Bus) {
    this.bus = bus
    bus.open(this)
    cleanups.push(() => bus.close())
  }

  onUp(): void {
    this.ups++
  }

  onDown(reason: string): void {
    this.downs.push(reason)
  }

  onMessage(from: string, bytes: Uint8Array, isDirect: boolean): void {
    this.messages.push(`${from.slice(-1)} ${isDirect ? 'tells' : 'says'} ${new TextDecoder().decode(bytes)}`)
  }

  /** Resolves once it has come up so often. */
  up(times = 1): Promise<void> {
    return until(() => this.ups >= times && this.bus.isUp, 'the bus is up')
  }

  got(messages: number): Promise<void> {
    return until(() => this.messages.length >= messages, `${messages} messages have come`)
  }
}

/** Resolves once each hears the other: a node learns a little later what is subscribed to at the others. */
async function meet(a: Inbox, b: Inbox): Promise<void> {
  const had = [a.messages.length, b.messages.length] as const
  await until(() => {
    expect([a.bus.broadcast('here', bytes('hello')), b.bus.broadcast('here', bytes('hello'))]).toEqual([true, true])
    return a.messages.length > had[0] && b.messages.length > had[1]
  }, 'each hears the other')
}

function open(servers: readonly NatsServer[], ownId: string, options: Partial<NatsBusOptions> = {}): Inbox {
  const urls = servers.map(({ url }) => url)
  return new Inbox(
    new NatsBus({ servers: urls, region: 'test', ownId, clock: systemClock, log: silentLog, ...options }),
  )
}

async function server(config?: string): Promise<NatsServer> {
  const started = await startNatsServer(config)
  cleanups.push(() => started.stop())
  return started
}

const bytes = encodeUtf8

describe.skipIf(!hasGo)('NatsBus', () => {
  test('tells all others or one, in order, and never the sender (P-320)', async () => {
    const nats = await server()
    const [a, b, c] = [open([nats], A), open([nats], B), open([nats], C)]
    await Promise.all([a.up(), b.up(), c.up()])
    for (let n = 0; n < 100; n++) {
      expect(a.bus.broadcast(n % 2 === 0 ? 'here' : 'gone', bytes(String(n)))).toBe(true)
      if (n % 10 === 0) a.bus.send(B, bytes(`b${n}`))
    }
    await Promise.all([b.got(110), c.got(100)])
    const said = Array.from({ length: 100 }, (_, n) => `a says ${n}`)
    expect(c.messages).toEqual(said)
    expect(b.messages.filter(text => text.startsWith('a says'))).toEqual(said)
    expect(b.messages.indexOf('a tells b10')).toBe(b.messages.indexOf('a says 10') + 1)
    expect(a.messages).toEqual([])
  })

  test('keeps regions apart (P-320)', async () => {
    const nats = await server()
    const [a, b, other] = [open([nats], A), open([nats], B), open([nats], C, { region: 'other' })]
    await Promise.all([a.up(), b.up(), other.up()])
    a.bus.broadcast('beat', bytes('hello'))
    a.bus.send(C, bytes('hello'))
    await b.got(1)
    other.bus.send(C, bytes('end'))
    other.bus.broadcast('beat', bytes('end'))
    a.bus.broadcast('beat', bytes('end'))
    await b.got(2)
    expect([b.messages, other.messages]).toEqual([['a says hello', 'a says end'], []])
  })

  test('comes up when NATS does, and says why it is down until then (P-318)', async () => {
    const nats = await server()
    await nats.kill()
    const a = open([nats], A)
    await until(() => a.downs.length > 0, 'the bus is down')
    expect(a.downs[0]).toMatch(
      /^connect to 127\.0\.0\.1:\d+.*: nothing listens there \(connection refused\): check host and port, and that the server is running$/,
    )
    expect([a.bus.isUp, a.bus.broadcast('beat', bytes('lost'))]).toEqual([false, false])
    await nats.restart()
    await a.up()
    expect(a.ups).toBe(1)
  })

  test('goes to another node of the cluster when its own is killed (P-318)', async () => {
    const cluster = await startNatsCluster()
    cleanups.push(async () => {
      for (const node of cluster) await node.stop()
    })
    const [first, second, third] = cluster
    let own = ''
    const log = {
      ...silentLog,
      info: (_: string, { server }: LogFields = {}) => {
        own = String(server)
      },
    }
    const [a, b] = [open([first, second], A, { log }), open([third], B)]
    await Promise.all([a.up(), b.up()])
    await meet(a, b)
    const used = own.endsWith(`:${first.port}`) ? first : second
    await used.kill()
    await until(() => a.downs.length > 0, 'the bus is down')
    await a.up(2)
    await meet(a, b)
  })

  test('bounds what a frozen server leaves unacknowledged, and refuses the rest (P-317)', async () => {
    const nats = await server()
    const a = open([nats], A)
    await a.up()
    nats.program.child.kill('SIGSTOP')
    const large = new Uint8Array(40_000)
    let taken = 0
    while (a.bus.broadcast('here', large)) taken++
    expect(taken * large.length).toBeGreaterThan(7 << 20)
    expect(taken * large.length).toBeLessThan(8 << 20)
    expect(a.bus.isUp).toBe(false)
    nats.program.child.kill('SIGCONT')
    await until(() => a.bus.isUp, 'the bus is up')
    expect(a.bus.broadcast('here', large)).toBe(true)
  })

  test('reports what the server does not permit (P-320)', async () => {
    const permissions = `{ publish: "derp.test.*.${A}", subscribe: ["derp.test.*.*", "derp.test.to.${A}.*"] }`
    const nats = await server(`authorization { users: [{ user: u, password: p, permissions: ${permissions} }] }`)
    const allowed = `nats://u:p@127.0.0.1:${nats.port}`
    const a = open([], A, { servers: [allowed] })
    await until(() => a.downs.length > 0, 'the server has refused')
    expect(a.downs[0]).toBe(`not permitted to publish to derp.test.to.${A}.${A}`)
    expect([a.bus.isUp, a.ups]).toEqual([false, 0])
    const b = open([], B, { servers: [allowed] })
    await until(() => b.downs.length > 0, 'the server has refused')
    expect(b.downs[0]).toBe(`not permitted to subscribe to derp.test.to.${B}.*`)
    const cluster = await startNatsCluster('authorization { user: u, password: p }')
    cleanups.push(async () => {
      for (const node of cluster) await node.stop()
    })
    const stranger = open(cluster, C)
    await until(() => stranger.downs.length > 0, 'the server has refused')
    expect(stranger.downs[0]).toMatch(/authorization violation/i)
  })

  test('refuses a server whose messages are too small (P-320)', async () => {
    const nats = await server('max_payload: 1KB')
    const a = open([nats], A)
    await until(() => a.downs.length > 0, 'the bus is down')
    expect(a.downs[0]).toBe('max_payload is 1024, expected at least 65536')
  })
})
