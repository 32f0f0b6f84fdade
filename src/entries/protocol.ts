/**
 * The wire protocol without I/O, with keys and NaCl box, for browsers and Node.
 *
 * @module derphttp/protocol
 */

import './assert-runtime.ts'

export type { KeyAgreement } from '../keys/box.ts'
export { KeyError } from '../keys/key-error.ts'
export { MeshKey } from '../keys/mesh-key.ts'
export { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
export { createPortableAgreement, portableAgreement } from '../keys/portable-box.ts'
export type { PrivateKey, SecretBytes } from '../keys/private-key.ts'
export { openBox, sealBox } from '../keys/secretbox.ts'
export type { X25519Subtle } from '../keys/web-x25519.ts'
export type { AddressPort } from '../lib/address-port.ts'
export { DerpError, type DerpErrorCode, isDerpError, ProtocolError } from '../lib/derp-error.ts'
export { type ClientInfo, formatClientInfo, parseClientInfo } from '../protocol/client-info.ts'
export * from '../protocol/constants.ts'
export { decodeClientToServer, decodeServerToClient } from '../protocol/decode.ts'
export { looksLikeDisco } from '../protocol/disco.ts'
export { encodeClientToServer, encodeFrame, encodeServerToClient } from '../protocol/encode.ts'
export { FrameDecoder } from '../protocol/frame-decoder.ts'
export type { UnknownFrames } from '../protocol/frame-type.ts'
export {
  CLIENT_BOUNDS,
  CLIENT_LOGIN_BOUNDS,
  type FrameBounds,
  FrameType,
  frameTypeName,
} from '../protocol/frame-type.ts'
export {
  type ClientHello,
  encodeClientHello,
  encodeGreeting,
  encodeServerInfo,
  openClientInfo,
  openServerInfo,
  readClientHello,
  readGreeting,
} from '../protocol/login.ts'
export * from '../protocol/messages.ts'
export { SERVER_BOUNDS, SERVER_LOGIN_BOUNDS } from '../protocol/server-bounds.ts'
export { formatServerInfo, parseServerInfo, type ServerInfo } from '../protocol/server-info.ts'
