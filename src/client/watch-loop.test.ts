import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle, until } from '../../test/support/settle.ts'
import { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
import { DerpError } from '../lib/derp-error.ts'
import { silentLog } from '../lib/log.ts'
import { PeerGoneReason, type ReceivedMessage } from '../protocol/messages.ts'
import { WatchLoop } from './watch-loop.ts'

test('WatchLoop forgets all peers when a message arrives on a new connection (P-216)', async () => {
  const peers = [1, 2, 3].map(() => NodePrivateKey.generate().publicKey())
  const present = (at: number): ReceivedMessage => ({
    type: 'peerPresent',
    peer: peers[at] as (typeof peers)[0],
    address: undefined,
    flags: 0,
  })
  const script: [ReceivedMessage, number][] = [
    [present(0), 1],
    [present(1), 1],
    [{ type: 'keepAlive' }, 2],
    [present(2), 2],
  ]
  const told: string[] = []
  const name = (peer: (typeof peers)[0]) => peers.indexOf(peer)
  const client = {
    connect: async () => {},
    serverPublicKey: () => undefined,
    recvDetail: async () => {
      const [message, connectionGeneration] = script.shift() as (typeof script)[0]
      return { message, connectionGeneration }
    },
  }
  const clock = new FakeClock()
  const error = new Error('the script is over')
  const loop = new WatchLoop(
    client,
    { clock, log: silentLog, closed: new AbortController().signal },
    {
      add: ({ peer }) => {
        told.push(`+${name(peer)}`)
        if (name(peer) === 2) throw error
      },
      remove: ({ peer, reason }) => told.push(`-${name(peer)}/${reason}`),
    },
  )
  await expect(loop.run()).rejects.toBe(error)
  expect(told).toEqual(['+0', '+1', '-0/240', '-1/240', '+2'])
  expect(clock.pendingTimers).toBe(0)
})

test('WatchLoop reports each failure to connect and to receive, and continues (P-215)', async () => {
  const clock = new FakeClock()
  const closed = new AbortController()
  const [unreachable, lost] = [
    new DerpError('ERR_DERP_DIAL_FAILED', 'no route'),
    new DerpError('ERR_DERP_CONN_CLOSED', 'lost'),
  ]
  const script = [() => Promise.reject(unreachable), async () => {}, async () => {}]
  const told: DerpError[] = []
  const client = {
    connect: async () => script.shift()?.(),
    serverPublicKey: () => undefined,
    recvDetail: () => Promise.reject(lost),
  }
  const onError = (error: DerpError): void => {
    told.push(error)
    if (told.length === 3) closed.abort()
  }
  const ports = { clock, log: silentLog, closed: closed.signal }
  const over = new WatchLoop(client, ports, { add: () => {}, remove: () => {}, onError }).run()
  for (let i = 1; i <= 3; i++) {
    await until(() => told.length === i, `failure ${i}`)
    clock.advance(5_000)
  }
  await over
  expect(told).toEqual([unreachable, lost, lost])
})

test('the watch loop’s synthetic reason is named Synthetic (P-216)', () => {
  expect(PeerGoneReason.Synthetic).toBe(PeerGoneReason.MeshConnBroke)
})

test('WatchLoop follows and forgets a bounded number of peers in a turn of the event loop (P-111)', async () => {
  const total = 1_000
  const peers = Array.from({ length: total }, () => NodePublicKey.fromBytes(crypto.getRandomValues(new Uint8Array(32))))
  const clock = new FakeClock({ turns: 'manual' })
  const closed = new AbortController()
  let [next, added, removed] = [0, 0, 0]
  const client = {
    connect: async () => {},
    serverPublicKey: () => undefined,
    recvDetail: async () => {
      const peer = peers[next++]
      if (peer === undefined) throw new DerpError('ERR_DERP_CONN_CLOSED', 'lost')
      return { message: { type: 'peerPresent', peer, address: undefined, flags: 0 } as const, connectionGeneration: 1 }
    },
  }
  const loop = new WatchLoop(
    client,
    { clock, log: silentLog, closed: closed.signal },
    { add: () => void added++, remove: () => void removed++, onError: () => closed.abort() },
  )
  let [most, isOver] = [0, false]
  const running = loop.run().then(() => {
    isOver = true
  })
  while (!isOver) {
    const before = added + removed
    // Many microtasks: all that goes on without a turn.
    await settle(1)
    most = Math.max(most, added + removed - before)
    clock.runTurn()
  }
  await running
  expect([added, removed]).toEqual([total, total])
  expect(most).toBeLessThanOrEqual(256)
})
