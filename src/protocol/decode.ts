/**
 * Decodes frame bodies, in both directions. Pure.
 *
 * `data` fields are views of the given body: copy what must outlive it. The frame decoder has checked the
 * {@link FrameBounds}; a body that is still too short for its type yields undefined, which clients skip (P-004).
 */

import { NodePublicKey } from '../keys/public-key.ts'
import { addressFrom16 } from '../lib/address-port.ts'
import { copyBytes, decodeUtf8, equalBytes, readUint32 } from '../lib/bytes.ts'
import { APP_NAME } from './client-info.ts'
import { KEY_LENGTH, MAGIC, PING_LENGTH } from './constants.ts'
import { FrameType } from './frame-type.ts'
import { type ClientToServer, PeerGoneReason, type PeerPresentMessage, type ServerToClient } from './messages.ts'

const ADDRESS_LENGTH = 16 + 2

const keyAt = (body: Uint8Array, offset: number): NodePublicKey =>
  NodePublicKey.fromBytes(body.subarray(offset, offset + KEY_LENGTH))

/**
 * Decodes a frame from a client; undefined for other types and bodies that are too short. `data` is a view of `body`.
 *
 * @example
 * ```ts
 * const message = decodeClientToServer(FrameType.SendPacket, bytes)
 * if (message?.type === 'sendPacket') console.log(`${message.destination}`, message.data.length)
 * ```
 */
export function decodeClientToServer(type: number, body: Uint8Array): ClientToServer | undefined {
  const has = (length: number) => body.length >= length
  switch (type) {
    case FrameType.ClientInfo:
      if (!has(KEY_LENGTH)) return undefined
      return { type: 'clientInfo', clientKey: keyAt(body, 0), sealedInfo: body.subarray(KEY_LENGTH) }
    case FrameType.SendPacket:
      if (!has(KEY_LENGTH)) return undefined
      return { type: 'sendPacket', destination: keyAt(body, 0), data: body.subarray(KEY_LENGTH) }
    case FrameType.ForwardPacket:
      if (!has(2 * KEY_LENGTH)) return undefined
      return {
        type: 'forwardPacket',
        source: keyAt(body, 0),
        destination: keyAt(body, KEY_LENGTH),
        data: body.subarray(2 * KEY_LENGTH),
      }
    case FrameType.NotePreferred:
      return has(1) ? { type: 'notePreferred', preferred: body[0] !== 0 } : undefined
    case FrameType.WatchConns:
      return { type: 'watchConns' }
    case FrameType.ClosePeer:
      return has(KEY_LENGTH) ? { type: 'closePeer', peer: keyAt(body, 0) } : undefined
    case FrameType.Ping:
    case FrameType.Pong:
      return decodePing(type, body)
    default:
      return undefined
  }
}

/**
 * Decodes a frame from a server; undefined for other types and bodies that are too short. `data` is a view of `body`.
 *
 * @example
 * ```ts
 * const message = decodeServerToClient(FrameType.RecvPacket, bytes)
 * if (message?.type === 'receivedPacket') console.log(`${message.source}`, message.data.length)
 * ```
 */
export function decodeServerToClient(type: number, body: Uint8Array): ServerToClient | undefined {
  const has = (length: number) => body.length >= length
  switch (type) {
    case FrameType.ServerKey:
      return decodeServerKey(body)
    case FrameType.ServerInfo:
      return { type: 'sealedServerInfo', sealedInfo: body }
    case FrameType.RecvPacket:
      if (!has(KEY_LENGTH)) return undefined
      return { type: 'receivedPacket', source: keyAt(body, 0), data: body.subarray(KEY_LENGTH) }
    case FrameType.KeepAlive:
      return { type: 'keepAlive' }
    case FrameType.PeerGone:
      if (!has(KEY_LENGTH)) return undefined
      // Old servers send no reason byte.
      return { type: 'peerGone', peer: keyAt(body, 0), reason: body[KEY_LENGTH] ?? PeerGoneReason.Disconnected }
    case FrameType.PeerPresent:
      return decodePeerPresent(body)
    case FrameType.Ping:
    case FrameType.Pong:
      return decodePing(type, body)
    case FrameType.Health:
      return { type: 'health', problem: decodeUtf8(body) }
    case FrameType.Restarting:
      if (!has(8)) return undefined
      return { type: 'serverRestarting', reconnectInMs: readUint32(body, 0), tryForMs: readUint32(body, 4) }
    default:
      return undefined
  }
}

function decodeServerKey(body: Uint8Array): ServerToClient | undefined {
  if (body.length < MAGIC.length + KEY_LENGTH || !equalBytes(body.subarray(0, MAGIC.length), MAGIC)) return undefined
  return { type: 'serverKey', serverKey: keyAt(body, MAGIC.length) }
}

function decodePing(
  type: typeof FrameType.Ping | typeof FrameType.Pong,
  body: Uint8Array,
): Extract<ServerToClient, { type: 'ping' | 'pong' }> | undefined {
  if (body.length < PING_LENGTH) return undefined
  const payload = copyBytes(body, 0, PING_LENGTH)
  return { type: type === FrameType.Ping ? 'ping' : 'pong', payload }
}

/** Old servers stop after the key, the address, or the flags (P-071). */
function decodePeerPresent(body: Uint8Array): PeerPresentMessage | undefined {
  if (body.length < KEY_LENGTH) return undefined
  const peer = keyAt(body, 0)
  if (body.length < KEY_LENGTH + ADDRESS_LENGTH) return { type: 'peerPresent', peer, address: undefined, flags: 0 }
  const at = KEY_LENGTH + 16
  const port = ((body[at] as number) << 8) | (body[at + 1] as number)
  const address = { address: addressFrom16(body.subarray(KEY_LENGTH, at)), port }
  const flagsAt = KEY_LENGTH + ADDRESS_LENGTH
  const appName = decodeAppName(body, flagsAt + 1)
  return { type: 'peerPresent', peer, address, flags: body[flagsAt] ?? 0, ...(appName !== undefined && { appName }) }
}

/** A length byte and that many bytes of text; truncated, empty or outside the form of P-033 means no name. */
function decodeAppName(body: Uint8Array, at: number): string | undefined {
  const end = at + 1 + (body[at] ?? 0)
  if (end > body.length) return undefined
  const name = decodeUtf8(body.subarray(at + 1, end))
  return APP_NAME.test(name) ? name : undefined
}
