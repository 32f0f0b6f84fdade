import { expect, test } from 'vitest'
import { nodeAgreement } from '../../src/keys/node-box.ts'
import { NodePrivateKey, NodePublicKey } from '../../src/keys/node-key.ts'
import { type AddressPort, formatAddressPort } from '../../src/lib/address-port.ts'
import { ProtocolError } from '../../src/lib/derp-error.ts'
import { decodeClientToServer, decodeServerToClient } from '../../src/protocol/decode.ts'
import { encodeClientToServer, encodeServerToClient } from '../../src/protocol/encode.ts'
import { FrameDecoder } from '../../src/protocol/frame-decoder.ts'
import { CLIENT_BOUNDS, CLIENT_LOGIN_BOUNDS } from '../../src/protocol/frame-type.ts'
import { openServerInfo, readGreeting } from '../../src/protocol/login.ts'
import type { ClientToServer, ReceivedMessage, ServerToClient } from '../../src/protocol/messages.ts'
import { SERVER_BOUNDS } from '../../src/protocol/server-bounds.ts'
import {
  bytesPart,
  fromHex,
  type GoldenBytes,
  type GoldenCall,
  type GoldenRead,
  hex,
  payloadOf,
  readGolden,
  sha256,
  shownAs,
} from '../support/golden.ts'
import { payload } from '../support/payload.ts'

const golden = readGolden('frames')
const keys = readGolden('keys').pairs
const pairOf = (name: string) => keys.find(pair => pair.name === name)
/** Larger payloads are stored as digests. */
const LARGEST_SHOWN = 4096

const keyOf = (text = '') => NodePublicKey.parse(text)

/** The message that the stock client sent. */
function messageOf(call: GoldenCall): ClientToServer {
  switch (call.op) {
    case 'send':
      return { type: 'sendPacket', destination: keyOf(call.to), data: payloadOf(call) }
    case 'forward':
      return { type: 'forwardPacket', source: keyOf(call.from), destination: keyOf(call.to), data: payloadOf(call) }
    case 'ping':
    case 'pong':
      return { type: call.op, payload: payloadOf(call) }
    case 'notePreferred':
      return { type: 'notePreferred', preferred: call.preferred === true }
    case 'watch':
      return { type: 'watchConns' }
    case 'closePeer':
      return { type: 'closePeer', peer: keyOf(call.to) }
  }
}

/** A message in the form of the vectors. */
function described(message: ReceivedMessage): Record<string, string | number> {
  switch (message.type) {
    case 'receivedPacket':
      return { type: message.type, source: message.source.toString(), ...describedData(message.data) }
    case 'peerGone':
      return { type: message.type, peer: message.peer.toString(), reason: message.reason }
    case 'peerPresent': {
      const { type, peer, address, flags } = message
      return { type, key: peer.toString(), ipPort: address === undefined ? '' : formatAddressPort(address), flags }
    }
    case 'ping':
    case 'pong':
      return { type: message.type, dataHex: hex(message.payload) }
    case 'keepAlive':
    case 'health':
    case 'serverRestarting':
    case 'serverInfo':
      return { ...message }
  }
}

const describedData = (data: Uint8Array) =>
  data.length <= LARGEST_SHOWN ? { dataHex: hex(data) } : { bytes: data.length, sha256: sha256(data) }

/** The bytes of a vector, also if stored as a digest. */
function wholeOf(vector: GoldenRead): Uint8Array {
  if (vector.hex !== undefined) return fromHex(vector.hex)
  const head = fromHex(vector.headHex).subarray(0, 5 + 32)
  const size = vector.length - head.length
  const candidates = [payload(size, size + 1), payload(size, size + 2), new Uint8Array(size)]
  const whole = candidates.map(data => Buffer.concat([head, data])).find(bytes => sha256(bytes) === vector.sha256)
  if (whole === undefined) throw new Error(`make bytes of "${vector.name}": no payload has the digest`)
  return Uint8Array.from(whole)
}

/** Results of our client for a stream, in the form of the vectors. */
async function readAsClient(vector: GoldenRead): Promise<Record<string, string | number>[]> {
  const own = NodePrivateKey.parse(vector.privateKey ?? pairOf('a')?.privateKey ?? '')
  const serverKey = keyOf(vector.serverPublicKey ?? pairOf('server')?.public.text)
  const sharedKey = await nodeAgreement.agree(own, serverKey)
  const decoder = new FrameDecoder(vector.readsServerKey === true ? CLIENT_LOGIN_BOUNDS : CLIENT_BOUNDS)
  decoder.push(wholeOf(vector))
  const messages = []
  while (decoder.next()) {
    if (decoder.skipped) continue
    const body = decoder.buffer.subarray(decoder.start + 5, decoder.start + 5 + decoder.length)
    if (decoder.bounds === CLIENT_LOGIN_BOUNDS) {
      expect(readGreeting(decoder.type, body).equals(serverKey)).toBe(true)
      decoder.bounds = CLIENT_BOUNDS
      continue
    }
    const frame = decodeServerToClient(decoder.type, body)
    if (frame?.type === 'sealedServerInfo') messages.push(serverInfo(sharedKey, frame.sealedInfo))
    else if (frame !== undefined && frame.type !== 'serverKey') messages.push(described(frame))
  }
  return messages
}

function serverInfo(sharedKey: Uint8Array, sealed: Uint8Array): Record<string, string | number> {
  const { tokenBucketBytesPerSecond, tokenBucketBytesBurst } = openServerInfo(sharedKey, sealed)
  return described({ type: 'serverInfo', tokenBucketBytesPerSecond, tokenBucketBytesBurst })
}

test('the vectors contain every frame of both directions except those of the login (P-006)', () => {
  const first = (vectors: readonly GoldenBytes[]) =>
    new Set(vectors.map(vector => Number.parseInt((vector.hex ?? vector.headHex).slice(0, 2), 16)))
  expect([...first(golden.clientFrames)].sort((a, b) => a - b)).toEqual([4, 7, 0x0a, 0x10, 0x11, 0x12, 0x13])
  const served = first([...golden.serverFrames, ...golden.clientReads])
  for (const type of [3, 5, 6, 8, 9, 0x12, 0x13, 0x14, 0x15]) expect(served).toContain(type)
})

test.each(golden.clientFrames)(
  'encodeClientToServer matches the stock client: $name (P-001, P-006, P-050, P-052)',
  vector => {
    expect(shownAs(vector, encodeClientToServer(messageOf(vector.call)))).toEqual(bytesPart(vector))
  },
)

test.each(golden.clientFrames)(
  'decodeClientToServer reads frames of the stock client: $name (P-001, P-050, P-052)',
  vector => {
    const message = messageOf(vector.call)
    const bytes = vector.hex === undefined ? encodeClientToServer(message) : fromHex(vector.hex)
    expect(shownAs(vector, bytes)).toEqual(bytesPart(vector))
    const decoder = new FrameDecoder(SERVER_BOUNDS)
    decoder.push(bytes)
    expect(decoder.next()).toBe(true)
    expect(decoder.skipped).toBe(false)
    expect(decoder.next()).toBe(false)
    expect(decodeClientToServer(bytes[0] as number, bytes.subarray(5))).toEqual(message)
  },
)

test.each(golden.serverFrames)(
  'our client reads frames of the stock server: $name (P-051, P-060, P-071, P-091)',
  async vector => {
    expect(await readAsClient(vector)).toEqual(vector.expect)
  },
)

test.each(golden.serverFrames)(
  'encodeServerToClient matches the stock server: $name (P-051, P-060, P-071, P-091)',
  vector => {
    const bytes = wholeOf(vector)
    const message = decodeServerToClient(bytes[0] as number, bytes.subarray(5)) as ServerToClient
    expect(hex(encodeServerToClient(message))).toBe(hex(bytes))
  },
)

test.each<[string, AddressPort, string]>([
  ['an IPv4 address in IPv6 form', { address: '::ffff:192.0.2.5', port: 7 }, 'regular, IPv4 in IPv6 form'],
  ['an IPv6 address with a zone', { address: 'fe80::1%eth0', port: 4 }, 'IPv6 with a zone'],
])('encodeServerToClient writes %s like the stock server (P-071)', (_, address, name) => {
  const vector = golden.serverFrames.find(frame => frame.name === `peerPresent: ${name}`)
  const peer = keyOf(vector?.expect[0]?.['key'] as string)
  expect(hex(encodeServerToClient({ type: 'peerPresent', peer, address, flags: 1 }))).toBe(vector?.hex)
})

test.each(golden.clientReads)(
  'our client reads unusual frames like the stock client: $name (P-002, P-004, P-031, P-034, P-092, P-093)',
  async vector => {
    if (vector.error === undefined) expect(await readAsClient(vector)).toEqual(vector.expect)
    else await expect(readAsClient(vector)).rejects.toBeInstanceOf(ProtocolError)
  },
)

// Frames that only our relay sends: the stock client reads them correctly.
test.each(
  golden.clientReads.filter(({ name }) => /^(health|restarting): (?!bytes|one)|^restarting$|^ping$/.test(name)),
)('the stock client reads what encodeServerToClient writes: $name (P-092, P-093)', vector => {
  const bytes = wholeOf(vector)
  const message = decodeServerToClient(bytes[0] as number, bytes.subarray(5)) as ServerToClient
  expect(hex(encodeServerToClient(message))).toBe(hex(bytes))
})
