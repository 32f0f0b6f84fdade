import { existsSync, lstatSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { until } from '../../../test/support/settle.ts'
import { systemClock } from '../../lib/clock.ts'
import { silentLog } from '../../lib/log.ts'
import { askDrain, askStatus } from './control-client.ts'
import type { ControlStatus } from './control-message.ts'
import { ControlServer } from './control-server.ts'

const STATUS: ControlStatus = {
  pid: 7,
  version: '1.2.3',
  ports: { main: 443, http: 80, stun: 3478, metrics: undefined },
}

let directory: string
let path: string
let clock: FakeClock
let server: ControlServer
let drains: number

function create(): ControlServer {
  const handOver = async () => {
    drains++
    server.release()
  }
  return new ControlServer(path, { clock, log: silentLog, status: () => STATUS, handOver })
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'control-'))
  path = join(directory, 'control.sock')
  clock = new FakeClock()
  drains = 0
  server = create()
})

afterEach(() => {
  server.close()
  rmSync(directory, { recursive: true })
})

/** What comes back for these bytes, until the connection ends. */
async function exchange(bytes: string | Uint8Array): Promise<string> {
  const socket = connect(path).on('error', () => {})
  let text = ''
  socket.on('data', chunk => {
    text += chunk
  })
  socket.write(bytes)
  await new Promise(resolve => socket.once('close', resolve))
  return text
}

test('ControlServer is open to its user only, tells its ports, and frees the path before it answers a drain (P-177)', async () => {
  await server.listen()
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(await askStatus(path, clock)).toEqual(STATUS)
  const { ended } = await askDrain(path, clock)
  expect([drains, existsSync(path)]).toEqual([1, false])
  let hasEnded = false
  void ended.then(() => {
    hasEnded = true
  })
  const next = create()
  await next.listen()
  expect(hasEnded).toBe(false)
  server.close()
  await ended
  // What the first frees later is not the second's.
  expect(existsSync(path)).toBe(true)
  next.close()
})

test('nobody listens: askStatus says so, and a socket that was left behind is replaced (P-177)', async () => {
  expect(await askStatus(path, clock)).toBeUndefined()
  server.close()
  // The socket of a process that was killed: nobody removes it.
  const left = join(directory, 'left.sock')
  const other = createServer()
  await new Promise<void>(resolve => other.listen(left, resolve))
  renameSync(left, path)
  await new Promise(resolve => other.close(resolve))
  expect(lstatSync(path).isSocket()).toBe(true)
  expect(await askStatus(path, clock)).toBeUndefined()
  await server.listen()
  expect(await askStatus(path, clock)).toEqual(STATUS)
})

test('ControlServer replaces nothing that somebody listens on, and nothing that is no socket (P-177)', async () => {
  await server.listen()
  await expect(create().listen()).rejects.toThrow(`listen on -control-socket ${path}: another derper listens there`)
  expect(await askStatus(path, clock)).toEqual(STATUS)
  server.close()
  writeFileSync(path, 'a key')
  await expect(create().listen()).rejects.toThrow('listen on -control-socket')
  expect(statSync(path).size).toBe(5)
})

test('ControlServer answers rubbish with an error, and drains for nothing but the question (P-177)', async () => {
  await server.listen()
  const questions = [
    'drain\n',
    '"drain"\n',
    'null\n',
    '[]\n',
    '{"ask":"drain"}\n',
    '{"protocol":2,"ask":"drain"}\n',
    '{"protocol":1,"ask":"Drain"}\n',
    `{"protocol":1,"ask":"drain","padding":"${'x'.repeat(5_000)}"}\n`,
    'x'.repeat(100_000),
    new Uint8Array(10_000).fill(0xff),
    `${'['.repeat(4_000)}\n`,
    '\n',
  ]
  for (const question of questions) expect(await exchange(question)).toMatch(/^\{"protocol":1,"error":".*"\}\n$/)
  expect([drains, await askStatus(path, clock)]).toEqual([0, STATUS])
})

test('ControlServer ends connections that do not ask in time, and bounds their number (P-177)', async () => {
  await server.listen()
  const sockets: Socket[] = []
  let ended = 0
  for (let n = 0; n < 40; n++) {
    sockets.push(
      connect(path)
        .on('error', () => {})
        .on('close', () => ended++)
        .resume(),
    )
  }
  // Those beyond the limit are closed at once.
  await until(() => ended === 32, 'the excess is closed')
  sockets[0]?.write('{"protocol":1,')
  clock.advance(5_000)
  await until(() => ended === 40, 'the others have had their time')
  expect([drains, await askStatus(path, clock)]).toEqual([0, STATUS])
})

/** A server on the path that answers so. */
async function answering(answer: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const other = createServer(socket => {
    sockets.push(socket)
    answer(socket.on('error', () => {}).resume())
  })
  await new Promise<void>(resolve => other.listen(path, resolve))
  const end = () =>
    new Promise<void>(resolve => {
      other.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  return { end }
}

test.each([
  ['{"protocol":2,"pid":1}\n', 'it speaks another protocol than 1'],
  ['{"protocol":1,"pid":1,"version":"1","ports":{"main":70000}}\n', 'main is no number in range'],
  ['{"protocol":1,"pid":1,"version":"1","ports":{"main":"443"}}\n', 'main is no number in range'],
  ['{"protocol":1,"pid":1,"version":"1"}\n', 'no ports'],
  ['{"protocol":1,"error":"no"}\n', 'no'],
  ['hello\n', 'not JSON'],
  ['x'.repeat(100_000), 'too long'],
])('askStatus and askDrain refuse the answer %j (P-177)', async (text, reason) => {
  const other = await answering(socket => void socket.write(text))
  const prefix = `take over by -control-socket ${path}: read control message: `
  await expect(askStatus(path, systemClock)).rejects.toThrow(prefix + reason)
  expect((await askDrain(path, systemClock)).failure?.message).toContain(prefix)
  await other.end()
})

test('askStatus and askDrain give up on who does not answer, or closes (P-177)', async () => {
  const silent = await answering(() => {})
  const asked = askStatus(path, clock)
  const drained = askDrain(path, clock)
  const refused = expect(asked).rejects.toThrow('none came in time')
  await until(() => clock.pendingTimers === 2, 'both are waiting')
  clock.advance(15_000)
  await refused
  expect((await drained).failure?.message).toContain('none came in time')
  await silent.end()
  const closing = await answering(socket => void socket.destroy())
  await expect(askStatus(path, clock)).rejects.toThrow('take over by -control-socket')
  await closing.end()
})

test('ControlServer names a path that it cannot use (P-177)', async () => {
  path = join(directory, 'missing', 'control.sock')
  await expect(create().listen()).rejects.toThrow(`listen on -control-socket ${path}:`)
})
