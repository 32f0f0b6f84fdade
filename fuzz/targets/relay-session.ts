/** A client against the relay: login, then any frames. */

import { MeshKey } from '../../src/keys/mesh-key.ts'
import { nodeAgreement } from '../../src/keys/node-box.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { sealBox } from '../../src/keys/secretbox.ts'
import { concatBytes, encodeUtf8 } from '../../src/lib/bytes.ts'
import { encodeClientToServer } from '../../src/protocol/encode.ts'
import type { ClientToServer } from '../../src/protocol/messages.ts'
import type { RelayCore } from '../../src/server/relay-core.ts'
import { MemoryRelay } from '../../test/support/memory-relay.ts'
import type { RawClient } from '../../test/support/raw-client.ts'
import { settle } from '../../test/support/settle.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { splitBy } from '../support/input-reader.ts'
import { ATTACKER, MESH_KEY, readInput } from '../support/session-input.ts'

const RELAY = NodePrivateKey.fromBytes(new Uint8Array(32).fill(11))
const BYSTANDER = NodePrivateKey.fromBytes(new Uint8Array(32).fill(22))
const OTHER = NodePrivateKey.fromBytes(new Uint8Array(32).fill(44))
const SHARED = await nodeAgreement.agree(ATTACKER, RELAY.publicKey())
const INFO = '{"version":2,"CanAckPings":true}'
const MESH_INFO = `{"version":2,"meshKey":"${MESH_KEY}"}`
/** Most bytes from the relay per byte from the attacker, besides the greeting and the like. */
const MAX_GROWTH = 16
const FREE_BYTES = 2_048
/** Deadlines of clients and of mesh peers share a timer each, which may fire for nothing; so does the log of refusals. */
const SHARED_TIMERS = 3
/** A login takes some turns of the event loop, handlers with a budget a few more. */
const TURNS = 12

export const target: FuzzTarget = {
  about:
    'Anything before the login, any ClientInfo, then any frames, in pieces, with the mesh key or without: the bystander is still served; every packet is delivered or counted as dropped; answers are bounded by what was sent; after the end no session, login, route or timer of its own is left.',
  seeds: seeds(),
  words: [BYSTANDER.publicKey().bytes, ATTACKER.publicKey().bytes, OTHER.publicKey().bytes, MESH_INFO, INFO, 'meshKey'],
  run: async input => {
    const { mode, sizes, json, frames } = readInput(input)
    const stream = mode === 0 ? concatBytes([json, frames]) : concatBytes([hello(json), frames])
    const relay = new MemoryRelay({ privateKey: RELAY, meshKey: MeshKey.parse(MESH_KEY) })
    const bystander = await relay.login({ privateKey: BYSTANDER })
    const timers = relay.clock.pendingTimers
    const attacker = relay.connect()
    for (const piece of splitBy(sizes, stream)) {
      attacker.sendBytes(piece)
      if (mode === 3) await settle(2)
    }
    await settle(TURNS)
    const seen = attacker.waitingFrames.map(({ type, body }) => `${type} ${body.length}`)
    const received = attacker.waitingFrames.reduce((sum, { body }) => sum + body.length + 5, 0)
    must(received <= FREE_BYTES + MAX_GROWTH * stream.length, 'answers are bounded by what was sent')
    const isClosed = attacker.isClosed
    // It may have closed the bystander and then lost its own session.
    const mayMesh = Buffer.from(json).includes(MESH_KEY)
    const got = await served(bystander, mayMesh)
    attacker.close()
    await settle(TURNS)
    checkRest(relay, timers, bystander.isClosed ? 0 : 1)
    relay.core.close()
    await settle(2)
    must(relay.clock.pendingTimers === 0, 'a closed relay has no timer')
    return [`${isClosed}`, ...seen, ...got].join('\n')
  },
}

/** What the bystander received before its ping came back. */
async function served(bystander: RawClient, mayBeClosed: boolean): Promise<readonly string[]> {
  if (bystander.isClosed) {
    must(mayBeClosed, 'only a mesh peer can close the bystander')
    return ['closed']
  }
  const before = await bystander.sync()
  return before.map(message => `${message.type} ${message.type === 'receivedPacket' ? message.data.length : ''}`)
}

function checkRest({ core, clock }: MemoryRelay, timers: number, sessions: number): void {
  mustAgree('sessions that are left', core.sessions.size, sessions)
  mustAgree('logins that are left', core.pendingLogins, 0)
  mustAgree('routes that are left', core.routes.size, sessions)
  must(clock.pendingTimers <= timers + SHARED_TIMERS, 'no timer of a connection is left')
  checkPackets(core)
}

/** Every packet that came in went out, or was dropped for a reason. */
function checkPackets({ counters }: RelayCore): void {
  const { packetsReceivedDisco, packetsReceivedOther, packetsForwardedIn, packetsSent, packetsForwardedOut } = counters
  const dropped = Object.values(counters.dropped).reduce(
    (sum, kinds) => sum + kinds.disco.packets + kinds.other.packets,
    0,
  )
  mustAgree(
    'packets received, and packets sent or dropped',
    packetsReceivedDisco + packetsReceivedOther + packetsForwardedIn,
    packetsSent + packetsForwardedOut + dropped,
  )
}

function hello(json: Uint8Array): Uint8Array {
  return encodeClientToServer({
    type: 'clientInfo',
    clientKey: ATTACKER.publicKey(),
    sealedInfo: sealBox(SHARED, json),
  })
}

function seeds(): Uint8Array[] {
  const data = encodeUtf8('hello')
  const [peer, self, other] = [BYSTANDER, ATTACKER, OTHER].map(key => key.publicKey()) as [never, never, never]
  const messages: readonly ClientToServer[] = [
    { type: 'sendPacket', destination: peer, data },
    { type: 'sendPacket', destination: self, data },
    { type: 'sendPacket', destination: other, data },
    { type: 'notePreferred', preferred: true },
    { type: 'ping', payload: new Uint8Array(8) },
    { type: 'pong', payload: new Uint8Array(8) },
    { type: 'watchConns' },
    { type: 'closePeer', peer },
    { type: 'forwardPacket', source: other, destination: peer, data },
    { type: 'forwardPacket', source: other, destination: self, data },
  ]
  return [INFO, MESH_INFO].flatMap(info =>
    messages.map((message, at) =>
      concatBytes([
        Uint8Array.of(1 + (at % 3), 3, 60, 50, 50, 50, 50, info.length),
        encodeUtf8(info),
        encodeClientToServer(message),
        encodeClientToServer(messages[(at + 3) % messages.length] ?? message),
      ]),
    ),
  )
}
