/**
 * The login as pure steps, both halves (P-030).
 *
 *     server                         client
 *     encodeGreeting        ──────>  readGreeting
 *     readClientHello       <──────  encodeClientHello
 *     openClientInfo
 *     encodeServerInfo      ──────>  openServerInfo
 *
 * The caller moves the bytes and computes the shared key between the steps (see keys/box.ts).
 */

import type { NodePublicKey } from '../keys/public-key.ts'
import { openBox, sealBox } from '../keys/secretbox.ts'
import { ProtocolError } from '../lib/derp-error.ts'
import { type ClientInfo, formatClientInfo, parseClientInfo } from './client-info.ts'
import { decodeClientToServer, decodeServerToClient } from './decode.ts'
import { encodeClientToServer, encodeServerToClient } from './encode.ts'
import { frameTypeName } from './frame-type.ts'
import { parseServerInfo, type ServerInfo } from './server-info.ts'

/**
 * The server's first frame.
 *
 * @example
 * ```ts
 * const frame = encodeGreeting(privateKey.publicKey())
 * ```
 */
export function encodeGreeting(serverKey: NodePublicKey): Uint8Array {
  return encodeServerToClient({ type: 'serverKey', serverKey })
}

/**
 * The server's key from its first frame.
 *
 * @throws ProtocolError if it is not a greeting.
 * @example
 * ```ts
 * const serverKey = readGreeting(FrameType.ServerKey, bytes)
 * const sharedKey = await portableAgreement.agree(privateKey, serverKey)
 * ```
 */
export function readGreeting(type: number, body: Uint8Array): NodePublicKey {
  const message = decodeServerToClient(type, body)
  if (message?.type !== 'serverKey') {
    throw new ProtocolError('ERR_DERP_LOGIN_MAGIC_WRONG', `read greeting in frame ${frameTypeName(type)}: no magic`, {
      clause: 'P-031',
    })
  }
  return message.serverKey
}

/**
 * The client's first frame.
 *
 * @example
 * ```ts
 * const sharedKey = await portableAgreement.agree(privateKey, peer) // the server's key
 * const frame = encodeClientHello(privateKey.publicKey(), sharedKey, { canAckPings: false, isProber: false })
 * ```
 */
export function encodeClientHello(
  clientKey: NodePublicKey,
  sharedKey: Uint8Array,
  info: Omit<ClientInfo, 'version'>,
): Uint8Array {
  return encodeClientToServer({ type: 'clientInfo', clientKey, sealedInfo: sealBox(sharedKey, formatClientInfo(info)) })
}

/** A client's first frame, its box still sealed. */
export interface ClientHello {
  /** The key that the client says it has; only the box proves it. */
  readonly clientKey: NodePublicKey
  /** The box with ClientInfo, for {@link openClientInfo}. */
  readonly sealedInfo: Uint8Array
}

/**
 * The client's key and box.
 *
 * @throws ProtocolError for another frame or the all-zero key.
 * @example
 * ```ts
 * const hello = readClientHello(FrameType.ClientInfo, bytes)
 * const sharedKey = await portableAgreement.agree(privateKey, hello.clientKey)
 * ```
 */
export function readClientHello(type: number, body: Uint8Array): ClientHello {
  const message = decodeClientToServer(type, body)
  if (message?.type !== 'clientInfo') {
    throw new ProtocolError('ERR_DERP_FRAME_UNEXPECTED', `read login frame ${frameTypeName(type)}: not ClientInfo`, {
      clause: 'P-030',
    })
  }
  if (message.clientKey.isZero()) {
    throw new ProtocolError('ERR_DERP_KEY_INVALID', 'read client key: all zero', { clause: 'P-020' })
  }
  return message
}

/**
 * Opens and parses the client's box.
 *
 * @throws ProtocolError if it is forged or malformed.
 * @example
 * ```ts
 * const hello = readClientHello(FrameType.ClientInfo, bytes)
 * const sharedKey = await portableAgreement.agree(privateKey, hello.clientKey)
 * const { meshKey, appName } = openClientInfo(sharedKey, hello)
 * ```
 */
export function openClientInfo(
  sharedKey: Uint8Array,
  hello: ClientHello,
  read: (json: Uint8Array) => ClientInfo = parseClientInfo,
): ClientInfo {
  return read(open(sharedKey, hello.sealedInfo, () => `ClientInfo of ${hello.clientKey.shortString()}`))
}

/**
 * The server frame that ends the login; `info` comes from `formatServerInfo`.
 *
 * @example
 * ```ts
 * const sharedKey = await portableAgreement.agree(privateKey, peer)
 * const info = formatServerInfo({ tokenBucketBytesPerSecond: 0, tokenBucketBytesBurst: 0 })
 * const frame = encodeServerInfo(sharedKey, info)
 * ```
 */
export function encodeServerInfo(sharedKey: Uint8Array, info: Uint8Array): Uint8Array {
  return encodeServerToClient({ type: 'sealedServerInfo', sealedInfo: sealBox(sharedKey, info) })
}

/**
 * Opens and parses the server's box.
 *
 * @throws ProtocolError if it is forged or malformed.
 * @example
 * ```ts
 * const sharedKey = await portableAgreement.agree(privateKey, peer) // the server's key
 * const { tokenBucketBytesPerSecond } = openServerInfo(sharedKey, bytes)
 * ```
 */
export function openServerInfo(sharedKey: Uint8Array, sealedInfo: Uint8Array): ServerInfo {
  return parseServerInfo(open(sharedKey, sealedInfo, () => 'ServerInfo'))
}

function open(sharedKey: Uint8Array, sealed: Uint8Array, what: () => string): Uint8Array {
  const opened = openBox(sharedKey, sealed)
  if (opened === undefined) {
    throw new ProtocolError('ERR_DERP_LOGIN_BOX_FORGED', `open ${what()}: cannot open box of ${sealed.length} bytes`, {
      clause: 'P-022',
    })
  }
  return opened
}
