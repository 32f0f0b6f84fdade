import { expect, test } from 'vitest'
import type { KeyAgreement } from '../../src/keys/box.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { nodeAgreement } from '../../src/keys/node-box.ts'
import { NodePrivateKey, NodePublicKey } from '../../src/keys/node-key.ts'
import { sealBox } from '../../src/keys/secretbox.ts'
import { decodeUtf8, encodeUtf8 } from '../../src/lib/bytes.ts'
import { formatClientInfo } from '../../src/protocol/client-info.ts'
import { encodeClientToServer, encodeServerToClient } from '../../src/protocol/encode.ts'
import { FrameDecoder } from '../../src/protocol/frame-decoder.ts'
import { CLIENT_BOUNDS, CLIENT_LOGIN_BOUNDS, type FrameBounds } from '../../src/protocol/frame-type.ts'
import {
  encodeGreeting,
  openClientInfo,
  openServerInfo,
  readClientHello,
  readGreeting,
} from '../../src/protocol/login.ts'
import { SERVER_LOGIN_BOUNDS } from '../../src/protocol/server-bounds.ts'
import { formatServerInfo } from '../../src/protocol/server-info.ts'
import { AGREEMENTS } from '../support/agreements.ts'
import { fromHex, hex, readGolden } from '../support/golden.ts'

const { logins } = readGolden('login')
const MESH_PEER = 2
const PROBER = 4

type Login = (typeof logins)[number]
/** Type and body of the one frame. */
function frameOf(bounds: FrameBounds, text: string): [type: number, body: Uint8Array] {
  const decoder = new FrameDecoder(bounds)
  decoder.push(fromHex(text))
  expect(decoder.next()).toBe(true)
  return [decoder.type, decoder.buffer.subarray(decoder.start + 5, decoder.start + 5 + decoder.length)]
}

/** Both sides' shared keys, each from its own private key. */
async function sharedKeys(login: Login, agreement: KeyAgreement): Promise<Uint8Array[]> {
  const server = NodePrivateKey.parse(login.serverPrivateKey)
  const client = NodePrivateKey.parse(login.clientPrivateKey)
  const serverKey = readGreeting(...frameOf(CLIENT_LOGIN_BOUNDS, login.serverKeyHex))
  const { clientKey } = readClientHello(...frameOf(SERVER_LOGIN_BOUNDS, login.clientInfoHex))
  return [await agreement.agree(server, clientKey), await agreement.agree(client, serverKey)]
}

/** ClientInfo in our names. */
const infoOf = (login: Login) => {
  const json = JSON.parse(login.clientInfoJSON)
  return {
    ...('meshKey' in json && { meshKey: json.meshKey }),
    version: json.version,
    canAckPings: json.CanAckPings === true,
    isProber: json.IsProber === true,
  }
}

test('the vectors contain logins with every field of ClientInfo, set and unset', () => {
  expect(logins.length).toBe(7)
  expect(new Set(logins.map(login => login.presentFlags))).toEqual(new Set([1, 2, 4, 6]))
  expect(new Set(logins.map(login => infoOf(login).canAckPings)).size).toBe(2)
})

test.each(logins)('encodeGreeting and readGreeting agree with the stock server: $name (P-031)', login => {
  const serverKey = NodePrivateKey.parse(login.serverPrivateKey).publicKey()
  expect(serverKey.toString()).toBe(login.serverPublicKey)
  expect(hex(encodeGreeting(serverKey))).toBe(login.serverKeyHex)
  expect(readGreeting(...frameOf(CLIENT_LOGIN_BOUNDS, login.serverKeyHex)).equals(serverKey)).toBe(true)
})

test.each(AGREEMENTS)('%s box opens boxes of stock logins (P-022, P-032, P-033, P-034)', async (_, agreement) => {
  for (const login of logins) {
    const [serverShared, clientShared] = (await sharedKeys(login, agreement)) as [Uint8Array, Uint8Array]
    expect(hex(serverShared)).toBe(hex(clientShared))
    const hello = readClientHello(...frameOf(SERVER_LOGIN_BOUNDS, login.clientInfoHex))
    expect(hello.clientKey.toString()).toBe(login.clientPublicKey)
    expect(openClientInfo(serverShared, hello)).toEqual(infoOf(login))
    const [, sealedInfo] = frameOf(CLIENT_BOUNDS, login.serverInfoHex)
    expect(openServerInfo(clientShared, sealedInfo)).toEqual({
      version: JSON.parse(login.serverInfoJSON).version,
      tokenBucketBytesPerSecond: 0,
      tokenBucketBytesBurst: 0,
    })
  }
})

test.each(AGREEMENTS)(
  '%s box seals boxes identical to stock logins (P-022, P-032, P-034, P-039)',
  async (_, agreement) => {
    for (const login of logins) {
      const [serverShared, clientShared] = (await sharedKeys(login, agreement)) as [Uint8Array, Uint8Array]
      const clientInfo = formatClientInfo(infoOf(login))
      expect(decodeUtf8(clientInfo)).toBe(login.clientInfoJSON)
      const clientKey = NodePublicKey.parse(login.clientPublicKey)
      const sealedClientInfo = sealBox(clientShared, clientInfo, fromHex(login.clientNonceHex))
      expect(hex(encodeClientToServer({ type: 'clientInfo', clientKey, sealedInfo: sealedClientInfo }))).toBe(
        login.clientInfoHex,
      )
      const serverInfo = formatServerInfo({ tokenBucketBytesPerSecond: 0, tokenBucketBytesBurst: 0 })
      expect(decodeUtf8(serverInfo)).toBe(login.serverInfoJSON)
      const sealedInfo = sealBox(serverShared, serverInfo, fromHex(login.serverNonceHex))
      expect(hex(encodeServerToClient({ type: 'sealedServerInfo', sealedInfo }))).toBe(login.serverInfoHex)
    }
  },
)

test.each(logins)(
  'MeshKey and ClientInfo distinguish kinds of clients like the stock server: $name (P-023, P-033)',
  login => {
    const info = infoOf(login)
    const isMeshPeer = MeshKey.parse(login.serverMeshKey).matches(info.meshKey ?? '')
    expect(isMeshPeer).toBe((login.presentFlags & MESH_PEER) !== 0)
    expect(info.isProber).toBe((login.presentFlags & PROBER) !== 0)
  },
)

test('a box of one login does not open in another (P-022, P-032)', async () => {
  const [first, second] = logins as [Login, Login]
  const [sharedKey] = (await sharedKeys(first, nodeAgreement)) as [Uint8Array]
  const hello = readClientHello(...frameOf(SERVER_LOGIN_BOUNDS, second.clientInfoHex))
  expect(() => openClientInfo(sharedKey, hello)).toThrow(expect.objectContaining({ code: 'ERR_DERP_LOGIN_BOX_FORGED' }))
  const forged = sealBox(sharedKey, encodeUtf8('{}')).fill(0, 24)
  expect(() => openServerInfo(sharedKey, forged)).toThrow(
    expect.objectContaining({ code: 'ERR_DERP_LOGIN_BOX_FORGED' }),
  )
})
