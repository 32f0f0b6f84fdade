/** What two paired tabs do: chat, files with progress and hash, and round-trip time. */

import type { NodePublicKey } from '../../keys/public-key.ts'
import { equalBytes } from '../../lib/bytes.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import { FileReceiver } from './file-receiver.ts'
import { FileSender } from './file-sender.ts'
import { type Invitation, toHex } from './invitation.ts'
import { Pair, type PairClient } from './pair.ts'
import type { PairMessage } from './pair-message.ts'

/** Milliseconds between two messages that measure the latency, and between two of a guest whose host does not answer. */
const PING_EVERY_MS = 2_000

/** A file in transfer, or transferred. */
export interface Transfer {
  readonly id: number
  readonly name: string
  readonly isOurs: boolean
  readonly size: number
  readonly bytes: number
  /** Bytes per second since its start. */
  readonly rate: number
  /** SHA-256 in hex once it is complete; undefined before, and where the browser cannot hash. */
  readonly hash: string | undefined
  readonly state: 'moving' | 'arrived' | 'equal' | 'different' | 'failed'
  /** The whole file; undefined until it has arrived here. */
  readonly file: Uint8Array<ArrayBuffer> | undefined
}

export interface ConversationEvents {
  readonly onMeet: (peer: NodePublicKey) => void
  readonly onGone: () => void
  readonly onChat: (text: string, isOurs: boolean) => void
  readonly onTransfer: (transfer: Transfer) => void
  readonly onLatency: (ms: number) => void
}

export interface ConversationParts {
  readonly client: PairClient
  readonly privateKey: ConstructorParameters<typeof Pair>[0]['privateKey']
  readonly agreement: ConstructorParameters<typeof Pair>[0]['agreement']
  readonly clock: Clock
  /** SHA-256; undefined where the browser has none. */
  readonly hash: ((bytes: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>) | undefined
}

interface Incoming {
  readonly receiver: FileReceiver
  readonly startMs: number
}

export class Conversation {
  readonly pair: Pair
  readonly #clock: Clock
  readonly #hash: ConversationParts['hash']
  readonly #events: ConversationEvents
  readonly #outgoing = new Map<number, FileSender>()
  readonly #incoming = new Map<number, Incoming>()
  #files = 0
  #timer: Timer | undefined

  constructor({ clock, hash, ...parts }: ConversationParts, invitation: Invitation, events: ConversationEvents) {
    this.#clock = clock
    this.#hash = hash
    this.#events = events
    this.pair = new Pair(parts, invitation, {
      onMeet: peer => {
        events.onMeet(peer)
        void this.#tick()
      },
      onMessage: message => void this.#take(message),
      onGone: () => events.onGone(),
    })
  }

  /** Runs until the client is closed, which rejects. */
  async run(): Promise<void> {
    void this.#tick()
    try {
      await this.pair.run()
    } finally {
      this.#timer?.cancel()
      for (const sender of this.#outgoing.values()) sender.cancel(new Error('send file: the client was closed'))
    }
  }

  async chat(text: string): Promise<void> {
    await this.pair.send({ type: 'chat', text })
    this.#events.onChat(text, true)
  }

  /** Resolves when the file has arrived. */
  async sendFile(name: string, file: Uint8Array<ArrayBuffer>): Promise<void> {
    const id = ++this.#files
    const startMs = this.#clock.now()
    const show = (bytes: number, parts: Partial<Transfer> = {}) => {
      const rate = this.#rateOf(bytes, startMs)
      const common = { id, name, isOurs: true, size: file.length, bytes, rate, file: undefined }
      this.#events.onTransfer({ ...common, hash: undefined, state: 'moving', ...parts })
    }
    const send = (message: PairMessage) => this.pair.send(message)
    const sender = new FileSender({ id, file, clock: this.#clock, send, onProgress: show })
    this.#outgoing.set(id, sender)
    show(0)
    try {
      await send({ type: 'offer', id, size: file.length, name })
      await sender.run()
      const hash = (await this.#hash?.(file)) ?? new Uint8Array(0)
      show(file.length, { state: 'arrived', ...(hash.length > 0 && { hash: toHex(hash) }) })
      await send({ type: 'hash', id, hash })
    } catch (error) {
      show(0, { state: 'failed' })
      throw error
    } finally {
      this.#outgoing.delete(id)
    }
  }

  async #take(message: PairMessage): Promise<void> {
    if (message.type === 'chat') this.#events.onChat(message.text, false)
    else if (message.type === 'ping') await this.#answer({ type: 'pong', atMs: message.atMs })
    else if (message.type === 'pong') this.#events.onLatency(this.#clock.now() - message.atMs)
    else if (message.type === 'got') this.#outgoing.get(message.id)?.noteArrived(message.bytes)
    else if (message.type === 'offer') this.#begin(message)
    else if (message.type === 'part') await this.#takePart(message)
    else if (message.type === 'hash') await this.#end(message)
  }

  #begin({ id, name, size }: Extract<PairMessage, { type: 'offer' }>): void {
    try {
      this.#incoming.set(id, { receiver: new FileReceiver(name, size), startMs: this.#clock.now() })
      this.#showIncoming(id)
    } catch {
      // Too large for a tab: its parts are ignored.
    }
  }

  async #takePart({ id, at, data }: Extract<PairMessage, { type: 'part' }>): Promise<void> {
    const incoming = this.#incoming.get(id)
    if (incoming === undefined) return
    incoming.receiver.add(at, data)
    this.#showIncoming(id)
    await this.#answer({ type: 'got', id, bytes: incoming.receiver.bytes })
  }

  async #end({ id, hash: told }: Extract<PairMessage, { type: 'hash' }>): Promise<void> {
    const incoming = this.#incoming.get(id)
    if (incoming?.receiver.isComplete !== true) return
    this.#incoming.delete(id)
    const { receiver, startMs } = incoming
    const hash = await this.#hash?.(receiver.file)
    const { name, file, bytes } = receiver
    const rate = this.#rateOf(bytes, startMs)
    const common = { id, name, isOurs: false, size: file.length, bytes, rate, file }
    this.#events.onTransfer({ ...common, hash: hash && toHex(hash), state: stateOf(hash, told) })
  }

  #showIncoming(id: number): void {
    const incoming = this.#incoming.get(id)
    if (incoming === undefined) return
    const { receiver, startMs } = incoming
    const { name, file, bytes } = receiver
    const rate = this.#rateOf(bytes, startMs)
    const common = { id, name, isOurs: false, size: file.length, bytes, rate }
    this.#events.onTransfer({ ...common, file: undefined, hash: undefined, state: 'moving' })
  }

  #rateOf(bytes: number, startMs: number): number {
    const seconds = (this.#clock.now() - startMs) / 1_000
    return seconds > 0 ? bytes / seconds : 0
  }

  /** Without a connection the other end asks again. */
  async #answer(message: PairMessage): Promise<void> {
    await this.pair.send(message).catch(() => {})
  }

  /** Measures the latency, or greets again a host that has not answered. */
  async #tick(): Promise<void> {
    this.#timer?.cancel()
    this.#timer = this.#clock.after(PING_EVERY_MS, () => void this.#tick())
    if (this.pair.peer !== undefined) await this.#answer({ type: 'ping', atMs: this.#clock.now() })
    else if (this.pair.role === 'guest') await this.pair.greet().catch(() => {})
  }
}

/** Either hash may be missing. */
function stateOf(hash: Uint8Array | undefined, told: Uint8Array): Transfer['state'] {
  if (hash === undefined || told.length === 0) return 'arrived'
  return equalBytes(hash, told) ? 'equal' : 'different'
}
