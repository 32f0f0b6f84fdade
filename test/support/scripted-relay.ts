/** The relay end of one connection, driven by the test. */

import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { concatBytes } from '../../src/lib/bytes.ts'
import type { ClientInfo } from '../../src/protocol/client-info.ts'
import { FRAME_HEADER_LENGTH } from '../../src/protocol/constants.ts'
import { decodeClientToServer } from '../../src/protocol/decode.ts'
import { encodeServerToClient } from '../../src/protocol/encode.ts'
import { FrameDecoder } from '../../src/protocol/frame-decoder.ts'
import {
  type ClientHello,
  encodeGreeting,
  encodeServerInfo,
  openClientInfo,
  readClientHello,
} from '../../src/protocol/login.ts'
import type { ClientToServer, ServerToClient } from '../../src/protocol/messages.ts'
import { SERVER_BOUNDS, SERVER_LOGIN_BOUNDS } from '../../src/protocol/server-bounds.ts'
import { formatServerInfo, type ServerInfo } from '../../src/protocol/server-info.ts'
import type { Conn } from '../../src/transport/conn.ts'
import { type MemoryConn, memoryConnPair } from '../../src/transport/memory-conn.ts'
import { testAgreement } from './relay.ts'
import { until } from './settle.ts'

/** An in-memory relay and its client's connection. */
export interface MemoryRelayEnds {
  readonly relay: ScriptedRelay
  readonly clientConn: MemoryConn
  readonly serverConn: MemoryConn
}

export function scriptedMemoryRelay(): MemoryRelayEnds {
  const [clientConn, serverConn] = memoryConnPair()
  return { relay: new ScriptedRelay(serverConn), clientConn, serverConn }
}

export class ScriptedRelay {
  readonly privateKey: NodePrivateKey
  /** The relay end. */
  readonly conn: Conn
  /** Frames received after ClientInfo. */
  readonly frames: ClientToServer[] = []
  /** Writes that completed or failed. */
  writesTaken = 0
  /** Whether the connection has closed. */
  closed = false
  /** Whether pings are answered automatically. */
  answersPings = false
  readonly #decoder = new FrameDecoder(SERVER_LOGIN_BOUNDS)
  #hello: ClientHello | undefined
  #sharedKey: Uint8Array | undefined

  constructor(conn: Conn, privateKey: NodePrivateKey = NodePrivateKey.generate()) {
    this.conn = conn
    this.privateKey = privateKey
    conn.open({
      onData: chunk => this.#read(chunk),
      onClose: () => {
        this.closed = true
      },
    })
  }

  /** Sends bytes in one write. */
  send(...parts: readonly Uint8Array[]): void {
    this.conn.write([concatBytes(parts)], () => {
      this.writesTaken++
    })
  }

  /** Sends messages, each in its own write. */
  say(...messages: readonly ServerToClient[]): void {
    for (const message of messages) this.send(encodeServerToClient(message))
  }

  greet(): void {
    this.send(encodeGreeting(this.privateKey.publicKey()))
  }

  /** The client's key and ClientInfo, once received. Rejects if the connection closes before. */
  async hello(): Promise<{ hello: ClientHello; info: ClientInfo }> {
    await until(() => this.#hello !== undefined || this.closed, 'the client has sent ClientInfo')
    const hello = this.#hello
    if (hello === undefined) throw new Error('wait for ClientInfo: the connection has closed')
    this.#sharedKey = await testAgreement.agree(this.privateKey, hello.clientKey)
    return { hello, info: openClientInfo(this.#sharedKey, hello) }
  }

  /** A ServerInfo frame with arbitrary contents. */
  sealedServerInfo(json: Uint8Array): Uint8Array {
    if (this.#sharedKey === undefined) throw new Error('seal ServerInfo: no ClientInfo was read')
    return encodeServerInfo(this.#sharedKey, json)
  }

  /** The ServerInfo frame for this client; call {@link hello} first. */
  serverInfo(info: Omit<ServerInfo, 'version'> = NO_LIMITS): Uint8Array {
    return this.sealedServerInfo(formatServerInfo(info))
  }

  /** A complete login. */
  async login(): Promise<void> {
    this.greet()
    await this.hello()
    this.send(this.serverInfo())
  }

  #read(chunk: Uint8Array): void {
    const decoder = this.#decoder
    decoder.push(chunk)
    while (decoder.next()) {
      if (decoder.skipped) continue
      const { type, buffer, start, length } = decoder
      const body = buffer.subarray(start + FRAME_HEADER_LENGTH, start + FRAME_HEADER_LENGTH + length)
      if (this.#hello === undefined) {
        this.#hello = readClientHello(type, body)
        decoder.bounds = SERVER_BOUNDS
        continue
      }
      const frame = decodeClientToServer(type, body)
      if (frame === undefined) continue
      this.frames.push(frame)
      if (this.answersPings && frame.type === 'ping') this.say({ ...frame, type: 'pong' })
    }
  }
}

const NO_LIMITS = { tokenBucketBytesPerSecond: 0, tokenBucketBytesBurst: 0 }
