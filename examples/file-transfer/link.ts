/** What both sides need: numbered packets in boxes that only the other side can open, and a main program that ends well. */

import {
  Client,
  ErrClientClosed,
  isDerpError,
  NodePrivateKey,
  type NodePublicKey,
  type ReceivedMessage,
  ResilientClient,
} from 'derphttp'
import { openBox, portableAgreement, sealBox } from 'derphttp/protocol'

/** Packet 0 describes the file, as JSON; the others are its parts, in order. */
export interface FileInfo {
  readonly name: string
  readonly size: number
  readonly sha256: string
}

/** Of a part; a packet has room for twice as much. */
export const PART_BYTES = 32_768
/** Number of an answer that refuses the file. Any other is the number that the receiver expects next. */
export const REFUSED = 0xffff_ffff

export interface Packet {
  readonly from: NodePublicKey
  readonly number: number
  readonly data: Uint8Array
}

export class Link {
  readonly #privateKey = NodePrivateKey.generate()
  readonly #client: ResilientClient<string>
  readonly #boxKeys = new Map<string, Uint8Array>()

  constructor(relay: string) {
    this.#client = new ResilientClient({ targets: [relay], createClient: url => new Client(this.#privateKey, url) })
    this.#client.events.on('state', ({ state, error }) => {
      if (state === 'waiting') console.error(`no connection, trying again: ${error?.message}`)
    })
  }

  /** Resolves to our key once the relay has admitted us. */
  async connect(): Promise<NodePublicKey> {
    await this.#client.connect()
    return this.#privateKey.publicKey()
  }

  /** The packet may be lost: without a connection it is. */
  async send(to: NodePublicKey, number: number, data: Uint8Array = new Uint8Array()): Promise<void> {
    const numbered = new Uint8Array(4 + data.length)
    new DataView(numbered.buffer).setUint32(0, number)
    numbered.set(data, 4)
    const sealed = sealBox(await this.#boxKey(to), numbered)
    await this.#client.send(to, sealed).catch((error: unknown) => {
      if (isDerpError(error, ErrClientClosed)) throw error
    })
  }

  /** The next packet; undefined if none has come for that long. */
  async next(timeoutMs: number): Promise<Packet | undefined> {
    const signal = AbortSignal.timeout(timeoutMs)
    for (;;) {
      let message: ReceivedMessage
      try {
        message = await this.#client.recv(signal)
      } catch (error) {
        if (signal.aborted) return undefined
        throw error
      }
      if (message.type !== 'receivedPacket') continue
      const opened = openBox(await this.#boxKey(message.source), message.data)
      if (opened === undefined || opened.length < 4) continue
      const number = new DataView(opened.buffer, opened.byteOffset).getUint32(0)
      return { from: message.source, number, data: opened.subarray(4) }
    }
  }

  close(): void {
    void this.#client[Symbol.asyncDispose]()
  }

  async #boxKey(peer: NodePublicKey): Promise<Uint8Array> {
    const known = this.#boxKeys.get(`${peer}`)
    if (known !== undefined) return known
    const agreed = await portableAgreement.agree(this.#privateKey, peer)
    this.#boxKeys.set(`${peer}`, agreed)
    return agreed
  }
}

/** Runs a program with a link to the relay. Ctrl-C closes the link, which ends whatever waits for it. */
export async function withLink(relay: string, work: (link: Link) => Promise<void>): Promise<void> {
  const link = new Link(relay)
  process.once('SIGINT', () => link.close())
  try {
    await work(link)
  } catch (error) {
    const isInterrupted = isDerpError(error, ErrClientClosed)
    console.error(isInterrupted ? 'interrupted' : (error as Error).message)
    process.exitCode = isInterrupted ? 130 : 1
  } finally {
    link.close()
  }
}
