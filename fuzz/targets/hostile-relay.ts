/** The client against a relay that sends anything. */

import { DerpClient } from '../../src/client/derp-client.ts'
import { nodeAgreement } from '../../src/keys/node-box.ts'
import { NodePrivateKey, NodePublicKey } from '../../src/keys/node-key.ts'
import { concatBytes, encodeUtf8 } from '../../src/lib/bytes.ts'
import { DerpError } from '../../src/lib/derp-error.ts'
import { encodeServerToClient } from '../../src/protocol/encode.ts'
import { encodeGreeting, encodeServerInfo } from '../../src/protocol/login.ts'
import type { ReceivedMessage, ServerToClient } from '../../src/protocol/messages.ts'
import { memoryConnPair } from '../../src/transport/memory-conn.ts'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { InputReader, splitBy } from '../support/input-reader.ts'

const RELAY = NodePrivateKey.fromBytes(new Uint8Array(32).fill(11))
const CLIENT = NodePrivateKey.fromBytes(new Uint8Array(32).fill(33))
const PEER = NodePublicKey.fromBytes(new Uint8Array(32).fill(9))
const SHARED = await nodeAgreement.agree(RELAY, CLIENT.publicKey())
const GREETING = encodeGreeting(RELAY.publicKey())
const SIZES = 6
const QUEUE_BYTES = 1_024
/** Bytes that the client may hold beyond its queue: the frame being gathered, and what was on its way. */
const MAX_ANSWERS = 4

export const target: FuzzTarget = {
  about:
    'A relay that sends anything in place of the greeting, of ServerInfo or of frames: every call ends in a message or in one `DerpError`, later calls in the same; pings are answered, never more than they are; nothing is left running.',
  seeds: seeds(),
  words: [GREETING, RELAY.publicKey().bytes, PEER.bytes],
  run: async input => {
    const reader = new InputReader(input)
    const mode = reader.below(4)
    const flags = reader.byte()
    const sizes = reader.take(SIZES)
    const json = reader.take(reader.byte())
    const frames = reader.rest()
    const clock = new FakeClock()
    const [clientEnd, relayEnd] = memoryConnPair()
    let answered = 0
    relayEnd.open({ onData: () => answered++, onClose: () => {} })
    const login = DerpClient.login(clientEnd, {
      privateKey: CLIENT,
      agreement: nodeAgreement,
      clock,
      autoPong: (flags & 1) !== 0,
      receiveQueueBytes: QUEUE_BYTES,
      ...((flags & 2) !== 0 && { serverKey: RELAY.publicKey() }),
    })
    const opened = login.catch(asDerpError)
    const start =
      [[], [GREETING], [GREETING, encodeServerInfo(SHARED, json)], [encodeServerInfo(SHARED, json)]][mode] ?? []
    for (const piece of splitBy(sizes, concatBytes([...start, frames]))) relayEnd.write([piece], () => {})
    relayEnd.end()
    const client = await opened
    const outcome = client instanceof DerpError ? [client.code] : await drain(client, answered)
    await settle(2)
    must(clock.pendingTimers === 0, 'no timer is left')
    return outcome.join('\n')
  },
}

async function drain(client: DerpClient, answeredBefore: number): Promise<readonly string[]> {
  const outcome: string[] = []
  let pings = 0
  for (;;) {
    const message = await client.recv().catch(asDerpError)
    if (message instanceof DerpError) {
      outcome.push(message.code)
      mustAgree('the error of the connection', client.error?.code, message.code)
      const later = await Promise.all([
        client.recv().catch(asDerpError),
        client.send(PEER, PEER.bytes).catch(asDerpError),
      ])
      for (const error of later) must(error === message, 'later calls end with the same error')
      break
    }
    if (message.type === 'ping') pings++
    outcome.push(shown(message))
  }
  must(answeredBefore <= pings + MAX_ANSWERS, 'pings are answered once at most')
  return outcome
}

function shown(message: ReceivedMessage): string {
  return JSON.stringify(message, (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  )
}

function asDerpError(error: unknown): DerpError {
  if (error instanceof DerpError) return error
  throw error
}

function seeds(): Uint8Array[] {
  const infos = ['{"version":2}', '{"version":2,"TokenBucketBytesPerSecond":1,"TokenBucketBytesBurst":1}', '{']
  const data = new Uint8Array(40).fill(5)
  const messages: readonly ServerToClient[] = [
    { type: 'receivedPacket', source: PEER, data },
    { type: 'peerGone', peer: PEER, reason: 1 },
    { type: 'peerPresent', peer: PEER, address: { address: '192.0.2.1', port: 7 }, flags: 1, appName: 'x' },
    { type: 'keepAlive' },
    { type: 'ping', payload: new Uint8Array(8) },
    { type: 'pong', payload: new Uint8Array(8) },
    { type: 'health', problem: 'slow' },
    { type: 'serverRestarting', reconnectInMs: 1, tryForMs: 2 },
  ]
  const frames = messages.map(encodeServerToClient)
  return infos.flatMap((info, mode) =>
    frames.map((frame, at) =>
      concatBytes([
        Uint8Array.of(1 + mode, at, 40, 90, 30, 30, 30, 30, info.length),
        encodeUtf8(info),
        frame,
        ...frames.slice(at),
      ]),
    ),
  )
}
