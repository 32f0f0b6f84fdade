/**
 * The server half of the login: from an accepted connection to a running session.
 *
 * Clauses: P-030 order, P-035 deadline, P-036 registration before ServerInfo, P-037 early frames, P-038 mesh key, P-113 bytes.
 */

import { copyBytes } from '../lib/bytes.ts'
import type { Timer } from '../lib/clock.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { ClientInfo } from '../protocol/client-info.ts'
import { FRAME_HEADER_LENGTH } from '../protocol/constants.ts'
import { FrameDecoder } from '../protocol/frame-decoder.ts'
import { type ClientHello, encodeServerInfo, openClientInfo, readClientHello } from '../protocol/login.ts'
import { SERVER_BOUNDS, SERVER_LOGIN_BOUNDS } from '../protocol/server-bounds.ts'
import type { Conn, ConnHandler } from '../transport/conn.ts'
import type { LoginHost } from './hosts.ts'
import { Writer } from './queues/writer.ts'
import type { LoginHolder } from './reading/login-memory.ts'
import { LONG_LOGIN_BYTES } from './reading/login-turns.ts'
import { Session } from './session.ts'

/** What is known about a connection before its login. */
export interface AcceptOptions {
  /** When the connection was accepted, in milliseconds of the relay's clock; the login deadline counts from it. */
  readonly acceptedAtMs?: number
  /** Value of the `Ideal-Node` header. */
  readonly idealNode?: string | undefined
  /** Bearer token of the upgrade request, for admission. */
  readonly token?: string | undefined
}

export class ServerLogin implements ConnHandler, LoginHolder {
  readonly #relay: LoginHost<ServerLogin, Session>
  readonly #conn: Conn
  readonly #notIdeal: boolean
  readonly #token: string | undefined
  readonly #decoder = new FrameDecoder(SERVER_LOGIN_BOUNDS)
  readonly #writer: Writer
  readonly #deadline: Timer
  #session: Session | undefined
  readonly #startedAtMs: number
  #helloSeen = false
  #sealedBytes = 0
  #over = false

  constructor(relay: LoginHost<ServerLogin, Session>, conn: Conn, options: AcceptOptions) {
    this.#relay = relay
    this.#conn = conn
    this.#notIdeal = (options.idealNode ?? '') !== ''
    this.#token = options.token
    // Until the session runs an error ends the login, which ends the session too and is counted once.
    this.#writer = new Writer(relay, conn, relay.clientDeadlines, this)
    this.#writer.tally.connNum = relay.counters.accepts
    this.#startedAtMs = relay.now()
    const spentMs = this.#startedAtMs - (options.acceptedAtMs ?? this.#startedAtMs)
    if (options.acceptedAtMs !== undefined) relay.counters.acceptMs.observe(spentMs)
    const { loginTimeoutMs } = relay.options
    this.#deadline = relay.timers.after(Math.max(0, loginTimeoutMs - spentMs), () =>
      this.fail(
        new DerpError('ERR_DERP_LOGIN_TIMEOUT', `wait for login: not complete after ${loginTimeoutMs} ms`, {
          clause: 'P-035',
        }),
      ),
    )
  }

  /** Sends the greeting and waits for the client. */
  start(): void {
    this.#writer.sendControl(this.#relay.greeting)
    this.#conn.open(this)
  }

  onData(chunk: Uint8Array): void {
    if (this.#over) return
    this.#writer.tally.bytesReceived += chunk.length
    this.#decoder.push(chunk)
    try {
      if (!this.#helloSeen && this.#decoder.next()) this.#onHello()
      else this.#relay.loginMemory.note(this, this.#sealedBytes + this.#decoder.heldBytes)
    } catch (error) {
      this.#failWith(error)
    }
  }

  onClose(error?: Error): void {
    this.fail(
      new DerpError('ERR_DERP_CONN_CLOSED', `wait for login: ${error?.message ?? 'closed by the client'}`, {
        cause: error,
      }),
    )
  }

  /** Ends the connection without a login. */
  fail(error: DerpError): void {
    if (this.#over) return
    this.#end()
    this.#relay.noteFailure(error, this.#conn.remote)
    this.#writer.close()
    this.#conn.destroy()
  }

  onOverflow(): void {
    this.fail(
      new DerpError('ERR_DERP_BACKLOG_FULL', 'read login: all logins together hold too much', { clause: 'P-113' }),
    )
  }

  /** Ends the connection because the relay is closing; a session being registered ends with it. */
  abort(): void {
    this.#end()
    this.#writer.close()
    this.#conn.destroy()
    this.#session?.close()
  }

  #end(): void {
    this.#over = true
    this.#deadline.cancel()
    this.#relay.loginMemory.forget(this)
    this.#relay.loginEnded(this)
  }

  #onHello(): void {
    const { type, buffer, start, length } = this.#decoder
    const body = buffer.subarray(start + FRAME_HEADER_LENGTH, start + FRAME_HEADER_LENGTH + length)
    const hello = readClientHello(type, body)
    this.#helloSeen = true
    // Further bytes are read once the session runs; the sealed part must outlive this chunk.
    this.#conn.pause()
    this.#decoder.bounds = SERVER_BOUNDS
    const sealedInfo = copyBytes(hello.sealedInfo)
    this.#sealedBytes = sealedInfo.length
    this.#relay.loginMemory.note(this, this.#sealedBytes + this.#decoder.heldBytes)
    if (this.#over) return
    this.#login({ clientKey: hello.clientKey, sealedInfo }).catch(error => this.#failWith(error))
  }

  async #login(hello: ClientHello): Promise<void> {
    const relay = this.#relay
    const sharedKey = await relay.options.agreement.agree(relay.options.privateKey, hello.clientKey)
    if (hello.sealedInfo.length > LONG_LOGIN_BYTES) await relay.loginTurns.wait(this.#conn.remote?.address)
    if (this.#over) return
    const info = openClientInfo(sharedKey, hello, json => relay.clientInfos.read(json))
    const canMesh = relay.options.meshKey?.matches(info.meshKey ?? '') ?? false
    if (!canMesh) {
      if (info.meshKey) relay.noteOtherMeshKey(hello.clientKey, this.#conn.remote)
      this.#findRoom()
      await this.#admit(hello, info)
      if (this.#over) return
      // Others may have logged in meanwhile.
      this.#findRoom()
    }
    const identity = { key: hello.clientKey, info, canMesh, notIdeal: this.#notIdeal, token: this.#token }
    const session = new Session(relay, this.#conn, { decoder: this.#decoder, writer: this.#writer }, identity)
    this.#session = session
    if (canMesh) this.#writer.deadlines = relay.meshDeadlines
    // Packets may arrive as soon as the key is known; they wait behind ServerInfo.
    this.#writer.hold()
    await relay.sessionBegins(session)
    if (this.#over) {
      session.close()
      return
    }
    this.#end()
    if (session.isClosed) return
    this.#writer.owner = session
    relay.counters.loginMs.observe(relay.now() - this.#startedAtMs)
    this.#writer.release(encodeServerInfo(sharedKey, relay.serverInfo))
    session.start()
  }

  /** @throws DerpError if there is no room. */
  #findRoom(): void {
    const { maxClients } = this.#relay.options
    if (maxClients !== 0 && this.#relay.directory.connections >= maxClients) throw relayFull(maxClients)
  }

  async #admit(hello: ClientHello, info: ClientInfo): Promise<void> {
    const request = { clientKey: hello.clientKey, info, remote: this.#conn.remote, token: this.#token }
    const verdict = await this.#relay.options.admission
      .admit(request)
      .catch((error: unknown) => ({ admit: false, reason: String(error) }) as const)
    if (verdict.admit) return
    throw new DerpError('ERR_DERP_ADMISSION_DENIED', `admit client ${hello.clientKey.shortString()}: ${verdict.reason}`)
  }

  /** Whatever the error, nothing of the client remains. */
  #failWith(error: unknown): void {
    const known =
      error instanceof DerpError
        ? error
        : new DerpError('ERR_DERP_LOGIN_FAILED', `log client in: ${String(error)}`, { cause: error })
    if (this.#over) {
      this.#session?.fail(known)
      return
    }
    // A client that expected another relay learns the key, although its ClientInfo came with the request (P-213).
    this.#writer.flush()
    this.fail(known)
    this.#session?.close()
  }
}

/** A login refused for lack of room (P-109). */
export function relayFull(maxClients: number): DerpError {
  return new DerpError('ERR_DERP_RELAY_FULL', `log client in: limit of ${maxClients} clients reached`, {
    clause: 'P-109',
  })
}
