/**
 * A client that sends single frames over any {@link Conn}, valid or not, for relay tests.
 *
 * It uses our codec, which golden vectors compare with the original.
 */

import { nodeAgreement } from '../../src/keys/node-box.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'
import type { PrivateKey } from '../../src/keys/private-key.ts'
import { sealBox } from '../../src/keys/secretbox.ts'
import { copyBytes, encodeUtf8 } from '../../src/lib/bytes.ts'
import { type ClientInfo, formatClientInfo } from '../../src/protocol/client-info.ts'
import { FRAME_HEADER_LENGTH } from '../../src/protocol/constants.ts'
import { decodeServerToClient } from '../../src/protocol/decode.ts'
import { encodeClientToServer } from '../../src/protocol/encode.ts'
import { FrameDecoder } from '../../src/protocol/frame-decoder.ts'
import { CLIENT_BOUNDS, CLIENT_LOGIN_BOUNDS, FrameType, frameTypeName } from '../../src/protocol/frame-type.ts'
import { openServerInfo, readGreeting } from '../../src/protocol/login.ts'
import type { ClientToServer, ServerToClient } from '../../src/protocol/messages.ts'
import type { ServerInfo } from '../../src/protocol/server-info.ts'
import type { Conn, ConnHandler } from '../../src/transport/conn.ts'
import { PATIENCE_MS } from './patience.ts'

/** A received frame. */
export interface RawFrame {
  readonly type: number
  readonly body: Uint8Array
}

/** Contents of a login. */
export interface LoginOptions {
  readonly privateKey?: PrivateKey
  readonly info?: Partial<ClientInfo>
  /** JSON to seal instead of `info`. */
  readonly json?: string
}

export class RawClient implements ConnHandler {
  readonly conn: Conn
  /** Packets sent with {@link packet}, and those that have come, taken or not. */
  packetsSent = 0
  packetsReceived = 0
  readonly #decoder = new FrameDecoder(CLIENT_LOGIN_BOUNDS)
  readonly #frames: RawFrame[] = []
  #closed = false
  #wake: (() => void) | undefined
  #privateKey: PrivateKey = NodePrivateKey.generate()
  #serverKey: NodePublicKey | undefined
  /** The key that ClientInfo was sealed with. */
  #shared: Uint8Array | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(conn: Conn) {
    this.conn = conn
    conn.open(this)
  }

  /** Logs in over `conn`. */
  static async login(conn: Conn, options: LoginOptions = {}): Promise<RawClient> {
    const client = new RawClient(conn)
    await client.login(options)
    return client
  }

  get publicKey(): NodePublicKey {
    return this.#privateKey.publicKey()
  }

  get isClosed(): boolean {
    return this.#closed
  }

  /** Received frames that were not taken. */
  get waitingFrames(): readonly RawFrame[] {
    return this.#frames
  }

  onData(chunk: Uint8Array): void {
    this.#decoder.push(chunk)
    while (this.#decoder.next()) {
      const { type, buffer, start, length, skipped } = this.#decoder
      const at = start + FRAME_HEADER_LENGTH
      if (type === FrameType.RecvPacket) this.packetsReceived++
      this.#frames.push({ type, body: skipped ? new Uint8Array(0) : copyBytes(buffer, at, at + length) })
      this.#decoder.bounds = CLIENT_BOUNDS
    }
    this.#wake?.()
  }

  onClose(): void {
    this.#closed = true
    this.#wake?.()
  }

  /** Reads the greeting, and with it the relay's key. */
  async greeting(): Promise<NodePublicKey> {
    const frame = await this.frame()
    this.#serverKey = readGreeting(frame.type, frame.body)
    return this.#serverKey
  }

  /** Sets the relay's key, so that ClientInfo can be sealed before the greeting. */
  knowServer(serverKey: NodePublicKey): void {
    this.#serverKey = serverKey
  }

  /** Logs in; resolves to ServerInfo. */
  async login(options: LoginOptions = {}): Promise<ServerInfo> {
    if (this.#serverKey === undefined) await this.greeting()
    this.sendBytes(await this.hello(options))
    return this.serverInfo()
  }

  /** The bytes of ClientInfo. */
  async hello(options: LoginOptions = {}): Promise<Uint8Array> {
    if (options.privateKey !== undefined) this.#privateKey = options.privateKey
    const info = { canAckPings: false, isProber: false, ...options.info }
    const json = options.json === undefined ? formatClientInfo(info) : encodeUtf8(options.json)
    this.#shared = await this.#agree()
    const sealedInfo = sealBox(this.#shared, json)
    return encodeClientToServer({ type: 'clientInfo', clientKey: this.publicKey, sealedInfo })
  }

  /** Reads ServerInfo. */
  async serverInfo(): Promise<ServerInfo> {
    const frame = await this.frame()
    if (frame.type !== FrameType.ServerInfo) throw new Error(`read ServerInfo: got ${frameTypeName(frame.type)}`)
    return openServerInfo(this.#shared ?? (await this.#agree()), frame.body)
  }

  send(message: ClientToServer): void {
    this.sendBytes(encodeClientToServer(message))
  }

  /** Sends a packet. */
  packet(destination: NodePublicKey, data: Uint8Array | string): void {
    this.packetsSent++
    this.send({ type: 'sendPacket', destination, data: typeof data === 'string' ? encodeUtf8(data) : data })
  }

  /** Sends arbitrary bytes, in order. */
  sendBytes(bytes: Uint8Array): void {
    this.#writing = this.#writing.then(() => new Promise(resolve => this.conn.write([bytes], () => resolve())))
  }

  /** Resolves when everything has been written. */
  flushed(): Promise<void> {
    return this.#writing
  }

  /** The next frame. @throws Error if the connection ends, or after a timeout. */
  async frame(): Promise<RawFrame> {
    for (;;) {
      const frame = this.#frames.shift()
      if (frame !== undefined) return frame
      if (this.#closed) throw new Error('wait for a frame: the connection has ended')
      await this.#news('a frame')
    }
  }

  /** The next frame, decoded. */
  async message(): Promise<ServerToClient> {
    const { type, body } = await this.frame()
    const message = decodeServerToClient(type, body)
    if (message === undefined)
      throw new Error(`decode frame ${frameTypeName(type)} of ${body.length} bytes: no message`)
    return message
  }

  /** The text of the next packet. */
  async nextText(): Promise<string> {
    return new TextDecoder().decode((await this.messageOf('receivedPacket')).data)
  }

  /** The next message of a type; earlier ones are discarded. */
  async messageOf<T extends ServerToClient['type']>(type: T): Promise<Extract<ServerToClient, { type: T }>> {
    for (;;) {
      const message = await this.message()
      if (message.type === type) return message as Extract<ServerToClient, { type: T }>
    }
  }

  /**
   * Waits with a ping until the relay has handled everything sent.
   *
   * @returns messages received before the Pong.
   */
  async sync(): Promise<ServerToClient[]> {
    const payload = crypto.getRandomValues(new Uint8Array(8))
    this.send({ type: 'ping', payload })
    const before: ServerToClient[] = []
    for (;;) {
      const message = await this.message()
      if (message.type === 'pong' && message.payload.every((byte, at) => byte === payload[at])) return before
      before.push(message)
    }
  }

  /** Resolves when the relay has closed the connection. */
  async closed(): Promise<void> {
    while (!this.#closed) await this.#news('the end of the connection')
  }

  /** Closes the connection. */
  close(): void {
    this.conn.destroy()
  }

  async #agree(): Promise<Uint8Array> {
    if (this.#serverKey === undefined) throw new Error('compute shared key: no greeting was read')
    return nodeAgreement.agree(this.#privateKey, this.#serverKey)
  }

  #news(what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`wait for ${what}: not within ${PATIENCE_MS} ms`)), PATIENCE_MS)
      this.#wake = () => {
        this.#wake = undefined
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
