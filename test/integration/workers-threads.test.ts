import type { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { Log, LogFields } from '../../src/lib/log.ts'
import { Workers, type WorkersOptions } from '../../src/workers/coordinator/node-workers.ts'
import { BEAT_MS, MAX_MISSED_BEATS } from '../../src/workers/coordinator/watchdog.ts'
import { Target } from '../conformance/target.ts'
import { FakeClock } from '../support/fake-clock.ts'
import type { RawClient } from '../support/raw-client.ts'
import { freePort } from '../support/relays.ts'
import { until } from '../support/settle.ts'
import type { WorkerProgramData } from '../support/workers-program.ts'

const ENTRY = new URL('../support/workers-program.ts', import.meta.url)

let running: Started | undefined
afterEach(async () => {
  const closed = running?.workers.close()
  // One that hangs does not close by itself.
  for (const thread of running?.threads ?? []) void thread.terminate()
  await closed
  running = undefined
})

interface Started {
  readonly workers: Workers
  readonly target: Target
  readonly threads: Worker[]
}

async function start(count: number, options: Partial<WorkersOptions> = {}, data: Partial<WorkerProgramData> = {}) {
  const port = await freePort()
  const threads: Worker[] = []
  const workers = await Workers.start({
    entry: ENTRY,
    data: { privateKey: NodePrivateKey.generate().exportText(), meshKey: undefined, port, ...data },
    count,
    onThread: thread => threads.push(thread),
    ...options,
  })
  running = {
    workers,
    threads,
    target: new Target({ url: `http://127.0.0.1:${port}/derp`, carriage: 'raw', like: 'ours' }),
  }
  return running
}

/** The worker of each client. */
async function workerOf({ workers }: Started): Promise<ReadonlyMap<string, number>> {
  const traffic = await workers.coordinator.source.traffic()
  return new Map(traffic.map(({ key, id }) => [key, Number(id.split('.')[0])]))
}

/** Sends and reads numbered packets from one client to another, while `goesOn` holds. */
async function flow(from: RawClient, to: RawClient, goesOn: () => boolean): Promise<number> {
  let sent = 0
  while (goesOn()) {
    from.packet(to.publicKey, Uint8Array.of(sent % 256))
    const { data } = await to.messageOf('receivedPacket')
    expect(data[0]).toBe(sent % 256)
    sent++
  }
  return sent
}

/** Records logged errors. */
function errorLog(): { log: Log; errors: LogFields[] } {
  const errors: LogFields[] = []
  const nothing = () => {}
  return {
    errors,
    log: { debug: nothing, info: nothing, warn: nothing, error: (_, fields) => errors.push(fields ?? {}) },
  }
}

test('a worker killed under load loses only its own connections, and is replaced', async () => {
  const { log, errors } = errorLog()
  const started = await start(3, { log })
  const { workers, target, threads } = started
  const clients = await Promise.all(Array.from({ length: 24 }, () => target.login()))
  const at = await workerOf(started)
  const doomed = Math.min(...at.values())
  const isDoomed = ({ publicKey }: RawClient) => at.get(publicKey.toString()) === doomed
  const [lost, kept] = [clients.filter(isDoomed), clients.filter(client => !isDoomed(client))]
  expect(lost.length).toBeGreaterThan(0)
  let goesOn = true
  const flows = kept.map((from, n) => flow(from, kept[(n + 1) % kept.length] as RawClient, () => goesOn))
  // Packets to and from the clients of the worker that will be killed.
  for (const [n, one] of lost.entries()) one.packet((kept[n % kept.length] as RawClient).publicKey, 'last words')
  await threads[doomed - 1]?.terminate()
  await Promise.all(lost.map(client => client.closed()))
  goesOn = false
  for (const count of await Promise.all(flows)) expect(count).toBeGreaterThan(0)
  expect(kept.filter(({ isClosed }) => isClosed)).toEqual([])
  await until(() => workers.listening === 3, 'another worker listens in place of the one that was killed')
  expect([workers.crashes, errors.map(({ reason }) => reason)]).toEqual([1, ['it exited']])
  // Connections are balanced randomly: one run in ten million has none on the new worker.
  const later = await Promise.all(Array.from({ length: 40 }, () => target.login()))
  const replaced = [...(await workerOf(started)).values()].filter(worker => worker > 3)
  expect(replaced.length).toBeGreaterThan(0)
  for (const [n, one] of later.entries()) {
    one.packet((kept[n % kept.length] as RawClient).publicKey, 'hello')
  }
  for (const one of later) await one.sync()
  expect(await workers.coordinator.source.inconsistencies()).toEqual([])
  target.closeAll()
})

test('a worker that hangs is ended and replaced, its clients are disconnected, and others do not notice', async () => {
  const { log, errors } = errorLog()
  const clock = new FakeClock()
  const privateKey = NodePrivateKey.generate()
  const started = await start(2, { log, clock }, { hangsOn: privateKey.publicKey().toString() })
  const { workers, target } = started
  const clients = await Promise.all(Array.from({ length: 24 }, () => target.login()))
  const at = await workerOf(started)
  const hanging = new Promise<number>(resolve => {
    for (const [index, thread] of started.threads.entries()) thread.once('message', () => resolve(index))
  })
  target.login({ privateKey }).catch(() => {})
  const other = 1 - (await hanging)
  // The first beat asks, and one more may have been answered before.
  for (let beat = 0; beat < MAX_MISSED_BEATS + 2; beat++) {
    clock.advance(BEAT_MS)
    await until(() => !workers.silent.includes(other), 'the other worker answers')
  }
  await until(() => workers.crashes === 1, 'the worker has ended')
  clock.advance(0)
  await until(() => workers.listening === 2, 'another one listens')
  expect(errors.map(({ reason }) => reason)).toEqual(['it hung'])
  await until(() => clients.some(({ isClosed }) => isClosed), 'its clients have noticed')
  const lost = new Set(clients.filter(({ isClosed }) => isClosed).map(client => at.get(client.publicKey.toString())))
  expect(lost.size).toBe(1)
  const kept = clients.filter(client => !lost.has(at.get(client.publicKey.toString())))
  expect(kept.length).toBeGreaterThan(0)
  for (const client of kept) await client.sync()
  const [from] = kept
  for (const one of await Promise.all(Array.from({ length: 8 }, () => target.login()))) {
    from?.packet(one.publicKey, 'welcome')
    await one.messageOf('receivedPacket')
  }
  target.closeAll()
  const closed = workers.close()
  // What still holds a thread open is given two seconds.
  clock.advance(2_000)
  await closed
})

test('connections of one key on several workers behave like on one (P-065)', async () => {
  const { target, workers } = await start(2)
  const privateKey = NodePrivateKey.generate()
  const sender = await target.login()
  const shared = await Promise.all(Array.from({ length: 6 }, () => target.login({ privateKey })))
  for (const one of [...shared, ...shared]) {
    await one.sync()
    sender.packet(privateKey.publicKey(), 'for the latest')
    await one.messageOf('receivedPacket')
  }
  expect((await workers.coordinator.source.snapshot()).registry.duplicateConnections).toBe(6)
  target.closeAll()
})

test('start fails if workers cannot listen', async () => {
  const port = await freePort()
  const { createServer } = await import('node:net')
  const taken = createServer()
  await new Promise<void>(resolve => taken.listen(port, '127.0.0.1', resolve))
  await expect(start(2, {}, { port })).rejects.toThrow(/start worker \d: .*EADDRINUSE/)
  await new Promise(resolve => taken.close(resolve))
})

test('workers drain together, and are not replaced afterwards', async () => {
  const { workers, target } = await start(2)
  const clients = await Promise.all(Array.from({ length: 8 }, () => target.login()))
  workers.stopListening()
  const result = await workers.drain({ spreadMs: 50, tryForMs: 0 })
  expect(result).toEqual({ told: 8, moved: 8, cut: 0 })
  await Promise.all(clients.map(client => client.closed()))
  await workers.close()
  expect([workers.listening, workers.crashes]).toEqual([0, 0])
})
