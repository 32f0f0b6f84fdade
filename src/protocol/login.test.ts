import { expect, test } from 'vitest'
import { nodeAgreement } from '../keys/node-box.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import { NONCE_BYTES, openBox, TAG_BYTES } from '../keys/secretbox.ts'
import { concatBytes, decodeUtf8 } from '../lib/bytes.ts'
import { FrameType } from './frame-type.ts'
import {
  encodeClientHello,
  encodeGreeting,
  encodeServerInfo,
  openClientInfo,
  openServerInfo,
  readClientHello,
  readGreeting,
} from './login.ts'
import { formatServerInfo } from './server-info.ts'

const server = NodePrivateKey.parse('11'.repeat(32))
const client = NodePrivateKey.parse('22'.repeat(32))
const sharedKey = await nodeAgreement.agree(server, client.publicKey())
const info = { meshKey: 'ab', canAckPings: true, isProber: false }
const limits = { tokenBucketBytesPerSecond: 7, tokenBucketBytesBurst: 9 }

const typeOf = (frame: Uint8Array) => frame[0] as number
const bodyOf = (frame: Uint8Array) => frame.subarray(5)

test('both halves of the login carry each side’s info (P-030, P-032, P-034)', async () => {
  const greeting = encodeGreeting(server.publicKey())
  const serverKey = readGreeting(typeOf(greeting), bodyOf(greeting))
  const clientShared = await nodeAgreement.agree(client, serverKey)
  const frame = encodeClientHello(client.publicKey(), clientShared, info)
  const hello = readClientHello(typeOf(frame), bodyOf(frame))
  expect(hello.clientKey.equals(client.publicKey())).toBe(true)
  expect(openClientInfo(sharedKey, hello)).toEqual({ ...info, version: 2 })
  const answer = encodeServerInfo(sharedKey, formatServerInfo(limits))
  expect(typeOf(answer)).toBe(FrameType.ServerInfo)
  expect(openServerInfo(clientShared, bodyOf(answer))).toEqual({ ...limits, version: 2 })
})

test('encodeClientHello puts the key before a box with a new nonce each time (P-022, P-032)', () => {
  const bodies = [0, 1].map(() => bodyOf(encodeClientHello(client.publicKey(), sharedKey, info)))
  const nonces = new Set<string>()
  for (const body of bodies) {
    expect(body.subarray(0, 32)).toEqual(client.publicKey().bytes)
    const json = openBox(sharedKey, body.subarray(32)) as Uint8Array
    expect(decodeUtf8(json)).toBe('{"meshKey":"ab","version":2,"CanAckPings":true}')
    expect(body.length).toBe(32 + NONCE_BYTES + TAG_BYTES + json.length)
    nonces.add(String(body.subarray(32, 56)))
  }
  expect(nonces.size).toBe(2)
})

test('readGreeting accepts bytes after the key, and rejects another type or magic (P-030, P-031)', () => {
  const body = bodyOf(encodeGreeting(server.publicKey()))
  expect(body).toHaveLength(40)
  expect(readGreeting(FrameType.ServerKey, concatBytes([body, body])).equals(server.publicKey())).toBe(true)
  const refused = expect.objectContaining({ code: 'ERR_DERP_LOGIN_MAGIC_WRONG', clause: 'P-031' })
  expect(() => readGreeting(FrameType.Health, body)).toThrow(refused)
  expect(() =>
    readGreeting(
      FrameType.ServerKey,
      body.map((byte, i) => (i === 7 ? 0 : byte)),
    ),
  ).toThrow(refused)
  expect(() => readGreeting(FrameType.ServerKey, body.subarray(0, 39))).toThrow(refused)
})

test('readClientHello rejects another frame and the zero key (P-020, P-030, P-032)', () => {
  const body = bodyOf(encodeClientHello(client.publicKey(), sharedKey, info))
  for (const type of [FrameType.SendPacket, FrameType.Ping, FrameType.ServerKey, 0xee]) {
    expect(() => readClientHello(type, body)).toThrow(
      expect.objectContaining({ code: 'ERR_DERP_FRAME_UNEXPECTED', clause: 'P-030' }),
    )
  }
  const keyless = Uint8Array.from(body).fill(0, 0, 32)
  expect(() => readClientHello(FrameType.ClientInfo, keyless)).toThrow(
    expect.objectContaining({ code: 'ERR_DERP_KEY_INVALID', clause: 'P-020' }),
  )
})

test('openClientInfo and openServerInfo reject a box that does not open (P-022, P-032, P-034)', async () => {
  const forged = expect.objectContaining({ code: 'ERR_DERP_LOGIN_BOX_FORGED', clause: 'P-022' })
  const frame = encodeClientHello(client.publicKey(), sharedKey, info)
  const hello = readClientHello(typeOf(frame), bodyOf(frame))
  const sealed = bodyOf(encodeServerInfo(sharedKey, formatServerInfo(limits)))
  const otherKey = await nodeAgreement.agree(server, NodePrivateKey.generate().publicKey())
  expect(() => openClientInfo(otherKey, hello)).toThrow(forged)
  expect(() => openClientInfo(otherKey, hello)).toThrow(
    `open ClientInfo of ${client.publicKey().shortString()}: cannot`,
  )
  expect(() => openServerInfo(otherKey, sealed)).toThrow(forged)
  expect(() => openServerInfo(otherKey, sealed)).toThrow('open ServerInfo: cannot open box of')
  for (const length of [0, NONCE_BYTES - 1, NONCE_BYTES, sealed.length - 1]) {
    expect(() => openServerInfo(sharedKey, sealed.subarray(0, length))).toThrow(forged)
  }
})
