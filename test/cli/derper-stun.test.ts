import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { createTxId, encodeBindingRequest, parseBindingResponse } from '../../src/entries/stun.ts'
import { Target } from '../conformance/target.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { type RunningRelay, startOurRelay } from '../support/relays.ts'
import { portOf, served } from '../support/served.ts'

let relay: RunningRelay | undefined
afterEach(async () => {
  await relay?.stop()
  relay = undefined
})

/** A relay with its STUN port, if it has one. */
async function start(...flags: string[]): Promise<{ stunPort: number; own: () => Promise<Record<string, unknown>> }> {
  const started = await startOurRelay(flags)
  relay = started
  const stunPort = portOf((await served(started.program)).stun)
  const target = new Target({ url: started.url, carriage: 'raw', like: 'ours' })
  return { stunPort, own: async () => (await target.vars())['derphttp'] as Record<string, unknown> }
}

/** Sends all and waits for a response to the last; resolves to the number of responses to each. */
async function answers(port: number, datagrams: readonly Uint8Array[]): Promise<number[]> {
  const socket = createSocket('udp4')
  const counts = datagrams.map(() => 0)
  socket.on('message', message => {
    const parsed = parseBindingResponse(message)
    if (!parsed.ok) return
    const at = datagrams.findIndex(datagram => Buffer.compare(datagram.subarray(8, 20), parsed.txId) === 0)
    counts[at] = (counts[at] ?? 0) + 1
  })
  for (const datagram of datagrams) socket.send(datagram, port, '127.0.0.1')
  while (counts.at(-1) === 0) await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
  socket.close()
  return counts
}

const ofNode = () => encodeBindingRequest(createTxId())
/** A plain STUN request: only the header. */
const plain = () => Buffer.concat([Buffer.from('000100002112a442', 'hex'), createTxId()])

test('derper answers STUN requests of nodes on -stun-port, and no others (P-180, P-185)', async () => {
  const { stunPort, own } = await start()
  expect(await answers(stunPort, [plain(), ofNode()])).toEqual([0, 1])
  expect(await own()).toMatchObject({
    counter_stun_node_requests: { ipv4: 1, ipv6: 0 },
    counter_stun_plain_requests: { ipv4: 0, ipv6: 0 },
    counter_stun_refused_ipv4: { wrong_software: 1 },
  })
})

test('derper -stun-plain answers any STUN client (P-184)', async () => {
  const { stunPort, own } = await start('-stun-plain')
  expect(await answers(stunPort, [plain(), ofNode()])).toEqual([1, 1])
  expect(await own()).toMatchObject({ counter_stun_plain_requests: { ipv4: 1, ipv6: 0 } })
})

test('derper -stun-rate-limit sends at most -stun-rate-burst responses to a source at once (P-186)', async () => {
  // Slow enough not to refill during this test.
  const { stunPort, own } = await start('-stun-rate-limit', '0.0001', '-stun-rate-burst', '2')
  const [first, second, third] = [ofNode(), ofNode(), ofNode()]
  expect(await answers(stunPort, [first, second])).toEqual([1, 1])
  const socket = createSocket('udp4')
  socket.send(third, stunPort, '127.0.0.1')
  const refused = async () => ((await own())['counter_stun_refused_ipv4'] as Record<string, number>)['rate_limited']
  await expect.poll(refused).toBe(1)
  socket.close()
})

test('derper -stun-ip serves STUN on another address than that of -a', async () => {
  const { stunPort } = await start('-stun-ip', '127.0.0.2')
  const socket = createSocket('udp4').bind(0, '127.0.0.3')
  socket.send(ofNode(), stunPort, '127.0.0.2')
  const [, from] = await once(socket, 'message', { signal: AbortSignal.timeout(PATIENCE_MS) })
  expect(from).toMatchObject({ address: '127.0.0.2' })
  socket.close()
})

test('derper -stun=false has neither STUN port nor STUN metrics', async () => {
  const { own } = await start('-stun=false')
  expect(Object.keys(await own()).filter(name => name.includes('stun'))).toEqual([])
})
