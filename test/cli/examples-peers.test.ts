/** The examples that let peers talk through a relay, run as their READMEs say. */

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { NodePublicKey } from '../../src/keys/public-key.ts'
import { Example } from '../support/example.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { payload } from '../support/payload.ts'
import type { Program } from '../support/process.ts'
import { loginAt } from '../support/relay-clients.ts'
import { freePort } from '../support/relays.ts'
import { until } from '../support/settle.ts'

const KEY = /nodekey:[0-9a-f]{64}/

let relay: ListeningRelay
beforeAll(async () => {
  relay = await ListeningRelay.start()
})
afterAll(async () => {
  await relay[Symbol.asyncDispose]()
})
const urlOf = ({ port }: ListeningRelay) => `http://127.0.0.1:${port}/derp`

/** Breaks the connection of every client off. */
function breakOff({ relay: { core } }: ListeningRelay): void {
  for (const { key } of core.sessions) void core.directory.closePeer(key)
}

describe('chat', () => {
  test('two terminals talk, and say who has left', async () => {
    await using example = new Example('chat')
    const host = await example.step({ relay: urlOf(relay) })
    const [key] = await host.stderrMatch(KEY)
    const guest = await example.step({ relay: urlOf(relay), values: { KEY: key } })
    await host.lineWhere(line => line === '> hello' || undefined)
    host.write('welcome\n')
    await guest.lineWhere(line => line === '> welcome' || undefined)
    // What is entered last is sent before it leaves.
    guest.child.stdin?.end('good-bye')
    await host.lineWhere(line => line === '> good-bye' || undefined)
    await host.stderrMatch(/They have left\./)
    expect([await guest.exit(), guest.stderr]).toEqual([0, ''])
    host.child.kill('SIGINT')
    expect([await host.exit(), example.left]).toEqual([0, []])
  })

  test('goes on after a broken connection, and lets nobody else in', async () => {
    await using own = await ListeningRelay.start()
    await using example = new Example('chat')
    await using other = new Example('chat')
    const host = await example.step({ relay: urlOf(own) })
    const [key] = await host.stderrMatch(KEY)
    const guest = await example.step({ relay: urlOf(own), values: { KEY: key } })
    await host.lineWhere(line => line === '> hello' || undefined)
    await other.step({ relay: urlOf(own) })
    const stranger = await other.step({ relay: urlOf(own), values: { KEY: key } })
    await until(() => own.relay.core.counters.currentConnections === 4, 'all have connected')
    stranger.write('let me in\n')
    await until(() => own.relay.core.counters.logins >= 4, 'all have logged in')
    breakOff(own)
    await until(() => own.relay.core.counters.logins >= 8, 'all have logged in again')
    guest.write('still here\n')
    await host.lineWhere(line => line === '> still here' || undefined)
    expect(host.stdout).not.toContain('let me in')
  })

  test.each([
    ['a relay that is none', 'http://127.0.0.1:1/derp', KEY.source, /no connection, trying again: .*ECONNREFUSED/],
  ])('reports %s', async (_, url, __, expected) => {
    await using example = new Example('chat')
    const host = await example.step({ relay: url })
    await host.stderrMatch(expected)
    host.child.kill('SIGINT')
    expect(await host.exit()).toBe(0)
  })

  test('reports a key that is none', async () => {
    await using example = new Example('chat')
    example.left.shift()
    const guest = await example.step({ relay: urlOf(relay) })
    expect([await guest.exit(), guest.stderr]).toEqual([1, expect.stringContaining('node public key')])
  })
})

test('store: a program prints each change', async () => {
  await using example = new Example('store')
  const watch = await example.step({ relay: urlOf(relay) })
  const key = await watch.lineWhere(line => KEY.exec(line)?.[0])
  await watch.lineWhere(line => line === 'connecting: ' || undefined)
  await watch.lineWhere(line => line === 'connected: ' || undefined)
  const sender = await example.step({ relay: urlOf(relay), values: { KEY: key } })
  await watch.lineWhere(line => line === 'connected: hello' || undefined)
  expect(await sender.exit(), sender.stderr).toBe(0)
  watch.child.kill('SIGINT')
  expect([await watch.exit(), watch.stderr, example.left]).toEqual([0, '', []])
})

describe('file-transfer', () => {
  /** Writes a file, starts both sides. */
  async function transfer(own: ListeningRelay, example: Example, bytes: Uint8Array) {
    writeFileSync(join(example.folder, '../backup.tar'), bytes)
    const receiver = await example.step({ relay: urlOf(own) })
    const key = await receiver.lineWhere(line => /^key: (\S+)$/.exec(line)?.[1])
    const sender = await example.step({ relay: urlOf(own), values: { KEY: key } })
    return { receiver, sender, received: join(example.folder, 'backup.tar') }
  }

  async function expectReceived(sides: { receiver: Program; sender: Program; received: string }, bytes: Uint8Array) {
    const { receiver, sender, received } = sides
    expect([await sender.exit(), await receiver.exit()], sender.stderr + receiver.stderr).toEqual([0, 0])
    const hash = createHash('sha256').update(bytes).digest('hex')
    expect(sender.stdout).toMatch(
      new RegExp(`^backup\\.tar: ${bytes.length} bytes in [\\d.]+ s, sha256 ${hash} on both`),
    )
    expect(receiver.stdout).toContain(`backup.tar: ${bytes.length} bytes, sha256 ${hash}\n`)
    expect(bytes.length === readFileSync(received).length && readFileSync(received).equals(bytes)).toBe(true)
  }

  test.each([0, 1, 2_500_000])('a file of %i bytes arrives, with progress and the same hash', async size => {
    await using example = new Example('file-transfer')
    const bytes = payload(size, 1)
    const sides = await transfer(relay, example, bytes)
    await expectReceived(sides, bytes)
    expect(sides.sender.stderr.trimEnd().split('\n').at(-1)).toBe(`100 % of ${size} bytes`)
    expect(example.left).toEqual([])
  })

  test('it arrives through a relay that breaks connections off, with what is on the way', async () => {
    await using own = await ListeningRelay.start()
    await using example = new Example('file-transfer')
    const bytes = payload(5_000_000, 2)
    const sides = await transfer(own, example, bytes)
    await sides.sender.stderrMatch(/[2-9]0 % of/)
    breakOff(own)
    await expectReceived(sides, bytes)
    expect(own.relay.core.counters.logins).toBeGreaterThanOrEqual(4)
  })

  test('it arrives at a receiver that reads so slowly that the relay drops parts of it', async () => {
    await using own = await ListeningRelay.start()
    await using example = new Example('file-transfer')
    const bytes = payload(20_000_000, 5)
    const sides = await transfer(own, example, bytes)
    await until(() => existsSync(sides.received), 'the file is being received')
    sides.receiver.child.kill('SIGSTOP')
    // What somebody else sends it takes the room in the relay's queue.
    const other = await loginAt(urlOf(own))
    const key = NodePublicKey.parse(KEY.exec(sides.receiver.stdout)?.[0] ?? '')
    const noise = new Uint8Array(60_000)
    const dropped = () => Object.values(own.relay.core.counters.dropped).map(kinds => kinds.other)
    while (dropped().every(({ packets, bytes: lost }) => lost === packets * noise.length)) await other.send(key, noise)
    sides.receiver.child.kill('SIGCONT')
    await expectReceived(sides, bytes)
    await other.close()
  })

  test('a file that is there is kept, and part of one is removed', async () => {
    await using example = new Example('file-transfer')
    writeFileSync(join(example.folder, 'backup.tar'), 'mine')
    const { receiver, sender, received } = await transfer(relay, example, payload(100, 3))
    expect([await sender.exit(), await receiver.exit()]).toEqual([1, 1])
    expect(sender.stderr).toContain('send backup.tar: the receiver refuses it')
    expect(receiver.stderr).toMatch(/^receive backup\.tar: EEXIST/)
    expect(readFileSync(received, 'utf8')).toBe('mine')

    await using broken = new Example('file-transfer')
    const sides = await transfer(relay, broken, payload(20_000_000, 4))
    await until(() => existsSync(sides.received), 'the file is being received')
    sides.receiver.child.kill('SIGINT')
    expect([await sides.receiver.exit(), sides.receiver.stderr]).toEqual([130, 'interrupted\n'])
    expect(existsSync(sides.received)).toBe(false)
    sides.sender.child.kill('SIGINT')
    expect(await sides.sender.exit()).toBe(130)
  })
})

/** A TCP service on loopback. */
async function serve(onConnection: (socket: Socket) => void) {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
    onConnection(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise(resolve => server.close(resolve))
  }
  return { port: (server.address() as AddressInfo).port, sockets, close }
}

describe('tcp-tunnel', () => {
  const cleanups: (() => unknown)[] = []
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })

  /** A tunnel to a service; resolves to its local port. */
  async function tunnelTo(own: ListeningRelay, onConnection: (socket: Socket) => void) {
    const example = new Example('tcp-tunnel')
    cleanups.push(() => example[Symbol.asyncDispose]())
    const service = await serve(onConnection)
    cleanups.push(service.close)
    const port = await freePort()
    const exposed = await example.step({ relay: urlOf(own), values: { '8080': String(service.port) } })
    const ticket = await exposed.lineWhere(line => /^ticket: (\S+)$/.exec(line)?.[1])
    const connected = await example.step({ relay: urlOf(own), values: { TICKET: ticket, '9000': String(port) } })
    await connected.lineWhere(line => line === `listening on 127.0.0.1:${port}` || undefined)
    return { example, service, port, exposed, connected }
  }

  const echo = (socket: Socket) => void socket.pipe(socket)

  /** Sends all, ends, and resolves to what comes back. */
  async function roundTrip(port: number, bytes: Uint8Array): Promise<Buffer> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    socket.end(bytes)
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk)
    return Buffer.concat(chunks)
  }

  test('curl reaches a web server behind the other peer', async () => {
    const { example, port, exposed, connected, service } = await tunnelTo(relay, socket => {
      socket.resume().once('end', () => socket.end())
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n')
    })
    const curl = await example.step({ values: { '9000': String(port) } })
    expect([await curl.exit(), curl.stdout, example.left]).toEqual([0, 'hello\n', []])
    await until(() => service.sockets.size === 0, 'the connection of curl has gone')
    // Ctrl-C on one side breaks connections off on the other.
    const idle = connect(port, '127.0.0.1').on('error', () => {})
    idle.resume()
    await until(() => service.sockets.size === 1, 'the connection has come')
    connected.child.kill('SIGINT')
    await new Promise(resolve => idle.once('close', resolve))
    await until(() => service.sockets.size === 0, 'the connection has gone')
    exposed.child.kill('SIGINT')
    expect([await connected.exit(), await exposed.exit()]).toEqual([0, 0])
  })

  test('many connections at once, each with half-close', async () => {
    const { port } = await tunnelTo(relay, echo)
    const sent = Array.from({ length: 50 }, (_, at) => payload(at * 9_973, at))
    const returned = await Promise.all(sent.map(bytes => roundTrip(port, bytes)))
    expect(returned.map((bytes, at) => bytes.equals(sent[at] ?? new Uint8Array()))).toEqual(sent.map(() => true))
  })

  test('a service that speaks first and ends first', async () => {
    const heard: string[] = []
    const { port } = await tunnelTo(relay, socket => {
      socket.end('welcome')
      void text(socket).then(all => heard.push(all))
    })
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    // Reading by an iterator would end both directions.
    let said = ''
    socket.setEncoding('utf8').on('data', words => {
      said += words
    })
    await once(socket, 'end')
    expect(said).toBe('welcome')
    socket.end('thanks')
    await until(() => heard.length === 1, 'the service has heard')
    expect(heard).toEqual(['thanks'])
  })

  test('a reader that is slow holds up its writer and nobody else', async () => {
    let written = 0
    const { port } = await tunnelTo(relay, socket => {
      socket.once('data', first => {
        if (String(first) !== 'flood') return void socket.end(first)
        const write = () => {
          while (socket.write(new Uint8Array(65_536))) written += 65_536
          socket.once('drain', write)
        }
        write()
      })
    })
    const slow = connect(port, '127.0.0.1').on('error', () => {})
    slow.pause().write('flood')
    await until(() => written > 0, 'the flood has begun')
    // The buffers of sockets and streams fill, then it stands still.
    for (let last = -1; last !== written; await roundTrip(port, payload(1_000, 5))) last = written
    expect(written).toBeLessThan(32_000_000)
    slow.destroy()
  })

  test('nothing is lost where queues are short and connections broken off', async () => {
    await using own = await ListeningRelay.start({ sendQueuePackets: 2, maxWriteBytes: 1_024 })
    const { port } = await tunnelTo(own, echo)
    const sent = Array.from({ length: 5 }, (_, at) => payload(1_000_000, at))
    const returning = Promise.all(sent.map(bytes => roundTrip(port, bytes)))
    for (const megabytes of [1, 4]) {
      await until(() => own.relay.core.counters.bytesReceived > megabytes * 1e6, `${megabytes} MB have been sent`)
      breakOff(own)
    }
    const returned = await returning
    expect(returned.map((bytes, at) => bytes.equals(sent[at] ?? new Uint8Array()))).toEqual(sent.map(() => true))
    await until(() => own.relay.core.counters.logins >= 4, 'both have logged in again')
  })

  test('a service that is not there, and a ticket that is none', async () => {
    const { example, port, exposed, service } = await tunnelTo(relay, echo)
    await service.close()
    expect(await roundTrip(port, payload(10, 6)).catch(() => Buffer.alloc(0))).toEqual(Buffer.alloc(0))
    await exposed.stderrMatch(/connection broken off: connect ECONNREFUSED/)
    await using other = new Example('tcp-tunnel')
    other.left.shift()
    const wrong = await other.step({ relay: urlOf(relay), values: { '9000': '0' } })
    expect([await wrong.exit(), wrong.stderr]).toEqual([1, expect.stringContaining('not what expose prints')])
    example.left.length = 0
  })
})
