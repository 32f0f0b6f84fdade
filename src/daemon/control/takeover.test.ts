import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle, until } from '../../../test/support/settle.ts'
import { silentLog } from '../../lib/log.ts'
import { Readiness } from '../../status/readiness.ts'
import type { ControlStatus } from './control-message.ts'
import { ControlServer } from './control-server.ts'
import { assertWell, takeOver } from './takeover.ts'

const FIRST: ControlStatus = {
  pid: 7,
  version: '1',
  ports: { main: 1, http: undefined, stun: undefined, metrics: undefined },
}

let directory: string
let path: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'takeover-'))
  path = join(directory, 'control.sock')
})

afterEach(() => rmSync(directory, { recursive: true }))

/** A first process, and the second with what it has done. */
async function setUp() {
  const clock = new FakeClock()
  const done: string[] = []
  const problems = new Map([
    ['listeners', 'none'],
    ['region', 'the relay is starting'],
  ])
  const readiness = new Readiness()
  readiness.addGroup(() => Array.from(problems, ([name, problem]) => ({ name, problem: () => problem })))
  const first = new ControlServer(path, {
    clock,
    log: silentLog,
    status: () => FIRST,
    handOver: async () => {
      done.push('drain')
      first.release()
    },
  })
  const log = { ...silentLog, error: (message: string) => void done.push(message) }
  const control = { listen: async () => void done.push('listen') }
  const take = () => takeOver({ path, readyMs: 1_000, first: FIRST, readiness, control, clock, log })
  return { clock, problems, first, done, take }
}

test('takeOver waits until it is ready but for its region, then drains the first, then listens itself (P-177)', async () => {
  const { clock, problems, first, done, take } = await setUp()
  await first.listen()
  const taken = take()
  clock.advance(900)
  await settle()
  expect(done).toEqual([])
  problems.delete('listeners')
  clock.advance(100)
  const draining = await taken
  expect(done).toEqual(['drain', 'listen'])
  first.close()
  await draining?.ended
})

test('takeOver that does not become ready leaves the first alone (P-177)', async () => {
  const { clock, first, done, take } = await setUp()
  await first.listen()
  const taken = expect(take()).rejects.toThrow('take over: not ready: listeners: none; the first derper goes on')
  for (let ms = 0; ms < 1_000; ms += 100) {
    await settle()
    clock.advance(100)
  }
  await taken
  expect(done).toEqual([])
  first.close()
})

test('takeOver serves on when the first has gone meanwhile (P-177)', async () => {
  const { problems, done, take } = await setUp()
  problems.clear()
  await (await take())?.ended
  expect(done).toEqual(['listen'])
})

test('takeOver serves beside a first that does not answer, and listens itself once that has ended (P-177)', async () => {
  const { clock, problems, done, take } = await setUp()
  problems.clear()
  const connections: Socket[] = []
  const hanging = createServer(socket => void connections.push(socket.on('error', () => {}).resume()))
  await new Promise<void>(resolve => hanging.listen(path, resolve))
  const taken = take()
  await until(() => clock.pendingTimers === 1, 'it waits for an answer')
  clock.advance(15_000)
  const draining = await taken
  expect(done).toEqual(['the first derper did not hand over: this one serves beside it; end the other'])
  const closed = new Promise(resolve => hanging.close(resolve))
  for (const connection of connections) connection.destroy()
  await draining?.ended
  await until(() => done.at(-1) === 'listen', 'it listens')
  await closed
})

test('takeOver serves on when the socket of the first cannot be used (P-177)', async () => {
  const { problems, done, take } = await setUp()
  problems.clear()
  writeFileSync(path, '')
  path = join(path, 'control.sock')
  expect(await take()).toBeUndefined()
  expect(done).toEqual(['the first derper did not hand over: this one serves beside it; end the other'])
})

test('assertWell names what is not, and tolerates what only degrades (P-177)', () => {
  const daemon = { name: 'admission-daemon', problem: () => 'gone' }
  assertWell([{ ...daemon, degradesOnly: true }])
  expect(() => assertWell([daemon])).toThrow('take over: not ready: admission-daemon: gone; the first derper goes on')
})
