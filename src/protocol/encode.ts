/**
 * Encodes frames, in both directions. Pure; every frame is one exactly sized array.
 *
 * Clauses: P-001 header, P-006 numbers, and each frame's own.
 */

import type { NodePublicKey } from '../keys/public-key.ts'
import { addressTo16 } from '../lib/address-port.ts'
import { encodeUtf8, writeUint32 } from '../lib/bytes.ts'
import { APP_NAME } from './client-info.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH, MAGIC, PING_LENGTH } from './constants.ts'
import { FrameType } from './frame-type.ts'
import type { ClientToServer, PeerPresentMessage, ServerToClient } from './messages.ts'

/** Body bytes of PeerPresent: key, 16-byte address, port, flags (P-071). */
const PEER_PRESENT_LENGTH = KEY_LENGTH + 16 + 2 + 1

/**
 * A frame of `type` whose body is the concatenation of `parts`, which together have less than 4 GiB.
 *
 * @example
 * ```ts
 * const frame = encodeFrame(FrameType.Ping, crypto.getRandomValues(new Uint8Array(8)))
 * ```
 */
export function encodeFrame(type: FrameType, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const frame = new Uint8Array(FRAME_HEADER_LENGTH + length)
  writeFrameHeader(frame, 0, type, length)
  let at = FRAME_HEADER_LENGTH
  for (const part of parts) {
    frame.set(part, at)
    at += part.length
  }
  return frame
}

/** Writes type and body length at `offset` (P-001). */
export function writeFrameHeader(bytes: Uint8Array, offset: number, type: FrameType, length: number): void {
  bytes[offset] = type
  writeUint32(bytes, offset + 1, length)
}

/**
 * Encodes a frame from a client.
 *
 * @throws RangeError for a Ping or Pong of other than eight bytes. Other lengths are up to the caller: relays refuse
 * packets above 65,536 bytes.
 * @example
 * ```ts
 * const frame = encodeClientToServer({ type: 'sendPacket', destination: peer, data: bytes })
 * ```
 */
export function encodeClientToServer(message: ClientToServer): Uint8Array {
  switch (message.type) {
    case 'clientInfo':
      return encodeFrame(FrameType.ClientInfo, message.clientKey.bytes, message.sealedInfo)
    case 'sendPacket':
      return encodeFrame(FrameType.SendPacket, message.destination.bytes, message.data)
    case 'forwardPacket':
      return encodeFrame(FrameType.ForwardPacket, message.source.bytes, message.destination.bytes, message.data)
    case 'notePreferred':
      return encodeFrame(FrameType.NotePreferred, Uint8Array.of(message.preferred ? 1 : 0))
    case 'watchConns':
      return encodeFrame(FrameType.WatchConns)
    case 'closePeer':
      return encodeFrame(FrameType.ClosePeer, message.peer.bytes)
    case 'ping':
      return encodePing(FrameType.Ping, message.payload)
    case 'pong':
      return encodePing(FrameType.Pong, message.payload)
  }
}

/**
 * Encodes a frame from a server.
 *
 * @throws RangeError for a Ping or Pong of other than eight bytes. Other values are written without a check: those that
 * exceed the bounds of their field are cut.
 * @example
 * ```ts
 * const frame = encodeServerToClient({ type: 'serverRestarting', reconnectInMs: 1_000, tryForMs: 30_000 })
 * ```
 */
export function encodeServerToClient(message: ServerToClient): Uint8Array {
  switch (message.type) {
    case 'serverKey':
      return encodeFrame(FrameType.ServerKey, MAGIC, message.serverKey.bytes)
    case 'sealedServerInfo':
      return encodeFrame(FrameType.ServerInfo, message.sealedInfo)
    case 'receivedPacket':
      return encodeFrame(FrameType.RecvPacket, message.source.bytes, message.data)
    case 'peerGone':
      return encodePeerGone(message.peer, message.reason)
    case 'peerPresent':
      return encodePeerPresent(message)
    case 'keepAlive':
      return encodeFrame(FrameType.KeepAlive)
    case 'ping':
      return encodePing(FrameType.Ping, message.payload)
    case 'pong':
      return encodePing(FrameType.Pong, message.payload)
    case 'health':
      return encodeFrame(FrameType.Health, encodeUtf8(message.problem))
    case 'serverRestarting':
      return encodeRestarting(message.reconnectInMs, message.tryForMs)
  }
}

/** PeerGone with its reason byte (P-060). */
export function encodePeerGone(peer: NodePublicKey, reason: number): Uint8Array {
  return encodeFrame(FrameType.PeerGone, peer.bytes, Uint8Array.of(reason))
}

/** A Ping or Pong; the payload is exactly eight bytes (P-091). */
export function encodePing(type: typeof FrameType.Ping | typeof FrameType.Pong, payload: Uint8Array): Uint8Array {
  if (payload.length !== PING_LENGTH) {
    throw new RangeError(`encode ping payload of ${payload.length} bytes: expected ${PING_LENGTH}`)
  }
  return encodeFrame(type, payload)
}

/** PeerPresent in the full form of current servers; the app name follows only if there is one (P-071). */
export function encodePeerPresent(message: Omit<PeerPresentMessage, 'type'>): Uint8Array {
  const body = new Uint8Array(PEER_PRESENT_LENGTH)
  body.set(message.peer.bytes)
  let at = KEY_LENGTH
  if (message.address !== undefined) {
    body.set(addressTo16(message.address.address), at)
    body[at + 16] = message.address.port >>> 8
    body[at + 17] = message.address.port
  }
  at += 16 + 2
  body[at] = message.flags
  if (message.appName === undefined || message.appName === '') return encodeFrame(FrameType.PeerPresent, body)
  if (!APP_NAME.test(message.appName)) {
    const value = JSON.stringify(message.appName)
    throw new RangeError(`encode app name ${value} of a peer: expected at most 32 printable ASCII characters`)
  }
  const name = encodeUtf8(message.appName)
  return encodeFrame(FrameType.PeerPresent, body, Uint8Array.of(name.length), name)
}

function encodeRestarting(reconnectInMs: number, tryForMs: number): Uint8Array {
  const body = new Uint8Array(8)
  writeUint32(body, 0, reconnectInMs)
  writeUint32(body, 4, tryForMs)
  return encodeFrame(FrameType.Restarting, body)
}
