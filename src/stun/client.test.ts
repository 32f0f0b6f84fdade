import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { getEventListeners, once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import type { Clock } from '../lib/clock.ts'
import { stunBinding } from './client.ts'
import { encodeBindingResponse, parseBindingRequest } from './message.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

/** A manual clock that counts pending timers. */
class ManualClock implements Clock {
  #nowMs = 1000
  readonly #timers = new Set<{ readonly dueMs: number; readonly fn: () => void }>()

  get pending(): number {
    return this.#timers.size
  }

  now(): number {
    return this.#nowMs
  }

  wallNow(): number {
    return this.#nowMs
  }

  after(delayMs: number, fn: () => void): { cancel: () => void } {
    const timer = { dueMs: this.#nowMs + delayMs, fn }
    this.#timers.add(timer)
    return { cancel: () => void this.#timers.delete(timer) }
  }

  afterTurn(fn: () => void): void {
    setImmediate(fn)
  }

  advance(ms: number): void {
    this.#nowMs += ms
    for (const timer of [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)) {
      if (timer.dueMs > this.#nowMs) return
      this.#timers.delete(timer)
      timer.fn()
    }
  }
}

interface Request {
  readonly txId: Uint8Array
  /** Responds with a made-up address whose port is `port`. */
  answer(port: number, txId?: Uint8Array): void
  sendBack(bytes: Uint8Array | string): void
}

/** A server that responds only when the test says so. */
async function startSilentServer(host = '127.0.0.1') {
  const socket: Socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  cleanups.push(() => void socket.close())
  socket.bind(0, host)
  await once(socket, 'listening')
  const nextRequest = async (): Promise<Request> => {
    const [datagram, source] = (await once(socket, 'message')) as [Uint8Array, { address: string; port: number }]
    const request = parseBindingRequest(datagram)
    if (!request.ok) throw new Error(`client sent ${request.failure}`)
    const sendBack = (bytes: Uint8Array | string) => socket.send(bytes, source.port, source.address)
    return {
      txId: request.txId,
      sendBack,
      answer: (port, txId = request.txId) =>
        sendBack(encodeBindingResponse(txId, { family: 4, bytes: Uint8Array.of(192, 0, 2, 9), port })),
    }
  }
  return { port: socket.address().port, nextRequest }
}

test('stunBinding resolves to the address in the response and the round-trip time (P-182)', async () => {
  const server = await startSilentServer()
  const clock = new ManualClock()
  const request = server.nextRequest()
  const binding = stunBinding({ host: '127.0.0.1', port: server.port, clock })
  const received = await request
  clock.advance(30)
  received.answer(4321)
  expect(await binding).toEqual({ address: '192.0.2.9', port: 4321, rttMs: 30 })
  expect(clock.pending).toBe(0)
})

test('stunBinding retransmits with a new id after a doubling wait, and times the request that was answered (P-182)', async () => {
  const server = await startSilentServer()
  const clock = new ManualClock()
  const first = server.nextRequest()
  const binding = stunBinding({ host: '127.0.0.1', port: server.port, clock, retransmitMs: 100 })
  const ids = [(await first).txId]
  for (const waitMs of [100, 200]) {
    const next = server.nextRequest()
    clock.advance(waitMs - 1)
    clock.advance(1)
    ids.push((await next).txId)
  }
  expect(new Set(ids.map(String)).size).toBe(3)
  const last = server.nextRequest()
  clock.advance(400)
  clock.advance(7)
  ;(await last).answer(1, ids[1])
  // The second request was sent 200 + 400 ms before the fourth.
  expect(await binding).toEqual({ address: '192.0.2.9', port: 1, rttMs: 607 })
})

test('stunBinding sends no more than maxRequests and then waits for the deadline', async () => {
  const server = await startSilentServer()
  const clock = new ManualClock()
  const first = server.nextRequest()
  const options = { host: '127.0.0.1', port: server.port, clock, retransmitMs: 10, maxRequests: 2, timeoutMs: 5000 }
  const binding = stunBinding(options)
  await first
  const second = server.nextRequest()
  clock.advance(10)
  await second
  // Only the deadline is left.
  expect(clock.pending).toBe(1)
  clock.advance(4989)
  expect(clock.pending).toBe(1)
  clock.advance(1)
  await expect(binding).rejects.toMatchObject({ name: 'StunError', code: 'ERR_DERP_STUN_TIMEOUT' })
  expect(clock.pending).toBe(0)
})

test('stunBinding ignores garbage, unknown ids and responses without an address (P-182)', async () => {
  const server = await startSilentServer()
  const request = server.nextRequest()
  const binding = stunBinding({ host: '127.0.0.1', port: server.port, clock: new ManualClock() })
  const received = await request
  received.sendBack('garbage')
  received.answer(1, new Uint8Array(12))
  const good = encodeBindingResponse(received.txId, { family: 4, bytes: new Uint8Array(4), port: 2 })
  const withoutAddress = good.slice()
  withoutAddress[21] = 0x06
  received.sendBack(withoutAddress)
  received.answer(3)
  expect((await binding).port).toBe(3)
})

test('stunBinding rejects with the reason of its signal, before and during the exchange', async () => {
  const server = await startSilentServer()
  const clock = new ManualClock()
  const early = AbortSignal.abort(new Error('too early'))
  await expect(stunBinding({ host: '127.0.0.1', port: server.port, signal: early, clock })).rejects.toThrow('too early')
  const controller = new AbortController()
  const request = server.nextRequest()
  const binding = stunBinding({ host: '127.0.0.1', port: server.port, signal: controller.signal, clock })
  await request
  controller.abort(new Error('changed my mind'))
  await expect(binding).rejects.toThrow('changed my mind')
  expect(clock.pending).toBe(0)
  expect(getEventListeners(controller.signal, 'abort')).toEqual([])
})

test('stunBinding cancelled during the name lookup leaves no socket', async () => {
  const controller = new AbortController()
  const binding = stunBinding({ host: 'localhost', signal: controller.signal, clock: new ManualClock() })
  controller.abort(new Error('at once'))
  await expect(binding).rejects.toThrow('at once')
  // Once these are done, so is the earlier lookup.
  await Promise.all(Array.from({ length: 8 }, () => lookup('localhost')))
  await expect.poll(() => process.getActiveResourcesInfo()).not.toContain('UDPWrap')
})

test('stunBinding rejects immediately when the port is closed', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  await once(socket, 'close')
  await expect(stunBinding({ host: '127.0.0.1', port, clock: new ManualClock() })).rejects.toMatchObject({
    code: 'ERR_DERP_STUN_UNREACHABLE',
    cause: { code: 'ECONNREFUSED' },
  })
})

test('stunBinding rejects when its socket cannot connect', async () => {
  // Broadcast needs a permission that the socket does not request.
  await expect(stunBinding({ host: '255.255.255.255', clock: new ManualClock() })).rejects.toMatchObject({
    code: 'ERR_DERP_STUN_UNREACHABLE',
  })
})

test('stunBinding rejects when the host has no address of the requested family', async () => {
  await expect(stunBinding({ host: '127.0.0.1', socketType: 'udp6', clock: new ManualClock() })).rejects.toMatchObject({
    code: 'ERR_DERP_STUN_UNREACHABLE',
    message: 'ask STUN server 127.0.0.1 port 3478: not an IPv6 address',
  })
})

test.each([
  ['port', { port: 0 }],
  ['port', { port: 65536 }],
  ['timeoutMs', { timeoutMs: 0 }],
  ['timeoutMs', { timeoutMs: Number.NaN }],
  ['retransmitMs', { retransmitMs: -1 }],
  ['maxRequests', { maxRequests: 0 }],
  ['maxRequests', { maxRequests: 1.5 }],
])('stunBinding refuses an invalid %s: %j', async (name, options) => {
  const binding = stunBinding({ host: '127.0.0.1', ...options })
  await expect(binding).rejects.toThrow(RangeError)
  await expect(binding).rejects.toThrow(name)
})
