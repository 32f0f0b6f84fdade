/** Entry `derphttp/protocol`: the wire without I/O, for browsers and Node alike. */

export type { AddressPort } from '../lib/address-port.ts'
export { DerpError, type DerpErrorCode, isDerpError, ProtocolError } from '../lib/derp-error.ts'
export { type ClientInfo, formatClientInfo, parseClientInfo } from './client-info.ts'
export * from './constants.ts'
export { decodeClientToServer, decodeServerToClient } from './decode.ts'
export { looksLikeDisco } from './disco.ts'
export { encodeClientToServer, encodeFrame, encodeServerToClient } from './encode.ts'
export { FrameDecoder } from './frame-decoder.ts'
export {
  CLIENT_BOUNDS,
  CLIENT_LOGIN_BOUNDS,
  type FrameBounds,
  FrameType,
  frameTypeName,
  SERVER_BOUNDS,
  SERVER_LOGIN_BOUNDS,
} from './frame-type.ts'
export {
  type ClientHello,
  encodeClientHello,
  encodeGreeting,
  encodeServerInfo,
  openClientInfo,
  openServerInfo,
  readClientHello,
  readGreeting,
} from './login.ts'
export * from './messages.ts'
export { formatServerInfo, parseServerInfo, type ServerInfo } from './server-info.ts'
