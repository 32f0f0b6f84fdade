import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'
import { afterEach, expect, test } from 'vitest'
import { StunThread } from '../../src/daemon/stun/stun-thread.ts'
import { stunBinding } from '../../src/entries/stun.ts'
import { type Log, type LogFields, silentLog } from '../../src/lib/log.ts'
import { createTxId, encodeBindingRequest } from '../../src/stun/message.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { freePort } from '../support/relays.ts'
import { until } from '../support/settle.ts'

const PLAIN = { host: '127.0.0.1', port: 0, plain: false, sourceLimit: undefined }

let thread: StunThread | undefined
afterEach(async () => {
  await thread?.close()
})

type Line = readonly [message: string, fields: LogFields | undefined]

function logged() {
  const lines: Line[] = []
  const note = (...line: Line) => void lines.push(line)
  const log: Log = { ...silentLog, error: (message, fields) => note(message, fields) }
  return { log, lines }
}

function start(clock = new FakeClock(), port = 0) {
  const { log, lines } = logged()
  const started = new StunThread({ ...PLAIN, port }, { clock, log })
  thread = started
  return { started, lines, clock }
}

test('StunThread answers on a thread of its own and counts there', async () => {
  const { started } = start()
  const { address, port } = await started.listen()
  expect(address).toBe('127.0.0.1')
  expect(await stunBinding({ host: address, port })).toMatchObject({ address: '127.0.0.1' })
  await until(() => started.counters.success === 1, 'the answer is counted')
  expect(started.counters).toMatchObject({ success: 1, ipv4: 1, notStun: 0 })
  expect(started.requests.fromNodes).toEqual({ ipv4: 1, ipv6: 0 })
  await started.close()
  await expect(stunBinding({ host: address, port, timeoutMs: 200 })).rejects.toThrow()
})

test('StunThread answers while the main thread is blocked', async () => {
  const { started } = start()
  const { address, port } = await started.listen()
  const socket = createSocket('udp4')
  socket.connect(port, address)
  await once(socket, 'connect')
  // Connected, so that it is sent before the call returns.
  socket.send(encodeBindingRequest(createTxId()))
  const sleeping = new Int32Array(new SharedArrayBuffer(4))
  for (let waits = 0; waits < 1_000 && started.counters.success === 0; waits++) Atomics.wait(sleeping, 0, 0, 10)
  expect(started.counters.success).toBe(1)
  socket.close()
})

test('StunThread that cannot bind says why, and leaves no thread', async () => {
  const port = await freePort()
  const { started: first } = start(new FakeClock(), port)
  await first.listen()
  const { log } = logged()
  const second = new StunThread({ ...PLAIN, port }, { clock: new FakeClock(), log })
  await expect(second.listen()).rejects.toMatchObject({ code: 'EADDRINUSE' })
  await second.close()
})

test('StunThread replaces a thread that crashes, on the same port, and keeps its counts', async () => {
  const threads: Worker[] = []
  const onWorker = (worker: Worker) => void threads.push(worker)
  process.on('worker', onWorker)
  try {
    const { started, lines, clock } = start()
    const { address, port } = await started.listen()
    await stunBinding({ host: address, port })
    await until(() => started.counters.success > 0, 'the answer is counted')
    const [first] = threads
    if (first === undefined) throw new Error('start STUN: no thread')
    const ended = once(first, 'exit')
    void first.terminate()
    await ended
    await until(() => clock.pendingTimers === 1, 'the restart is planned')
    clock.advance(1_000)
    await until(() => threads.length === 2, 'there is another thread')
    await expect
      .poll(() =>
        stunBinding({ host: address, port }).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true)
    await until(() => started.counters.success > 1, 'the answers of both are counted')
    expect(lines).toEqual([['STUN thread crashed', { reason: 'it exited', restartInMs: 1_000 }]])
  } finally {
    process.off('worker', onWorker)
  }
})
