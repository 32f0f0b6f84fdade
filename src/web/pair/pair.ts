/**
 * Two clients of a relay that talk to each other, end-to-end encrypted: the relay carries NaCl boxes between their keys.
 *
 * The guest knows the host's key by the link, the host knows the guest by the secret of the link.
 */

import type { KeyAgreement } from '../../keys/box.ts'
import { equalConstantTime } from '../../keys/constant-time.ts'
import type { PrivateKey } from '../../keys/private-key.ts'
import type { NodePublicKey } from '../../keys/public-key.ts'
import { openBox, sealBox } from '../../keys/secretbox.ts'
import type { ReceivedMessage } from '../../protocol/messages.ts'
import type { Invitation } from './invitation.ts'
import { decodeMessage, encodeMessage, type PairMessage, type Role } from './pair-message.ts'

/** What carries packets. */
export interface PairClient {
  send(destination: NodePublicKey, data: Uint8Array): Promise<void>
  recv(): Promise<ReceivedMessage>
}

export interface PairEvents {
  /** Both ends know each other. */
  readonly onMeet: (peer: NodePublicKey) => void
  readonly onMessage: (message: PairMessage) => void
  /** The relay says that the other end has left it. */
  readonly onGone: () => void
}

interface Peer {
  readonly key: NodePublicKey
  readonly boxKey: Uint8Array
  /** Number of its last message. */
  last: number
}

export class Pair {
  readonly role: Role
  readonly #client: PairClient
  readonly #privateKey: PrivateKey
  readonly #agreement: KeyAgreement
  readonly #invitation: Invitation
  readonly #events: PairEvents
  #peer: Peer | undefined
  #hasMet = false
  #sent = 0

  constructor(
    parts: { readonly client: PairClient; readonly privateKey: PrivateKey; readonly agreement: KeyAgreement },
    invitation: Invitation,
    events: PairEvents,
  ) {
    this.#client = parts.client
    this.#privateKey = parts.privateKey
    this.#agreement = parts.agreement
    this.#invitation = invitation
    this.#events = events
    this.role = invitation.key.equals(parts.privateKey.publicKey()) ? 'host' : 'guest'
  }

  /** The other end, once it is known. */
  get peer(): NodePublicKey | undefined {
    return this.#hasMet ? this.#peer?.key : undefined
  }

  /** Receives until the client is closed, which rejects. */
  async run(): Promise<void> {
    if (this.role === 'guest') await this.greet()
    for (;;) await this.#take(await this.#client.recv())
  }

  /** Makes a guest known to its host, again after the host was away. */
  async greet(): Promise<void> {
    this.#peer ??= await this.#peerOf(this.#invitation.key)
    await this.#seal(this.#peer, { type: 'hello', secret: this.#invitation.secret })
  }

  /** Rejects without a peer or a connection. */
  async send(message: PairMessage): Promise<void> {
    if (this.#peer === undefined || !this.#hasMet) throw new Error('send to the other tab: nobody has come yet')
    await this.#seal(this.#peer, message)
  }

  async #take(received: ReceivedMessage): Promise<void> {
    if (received.type === 'peerGone' && this.#peer?.key.equals(received.peer) === true) this.#events.onGone()
    if (received.type !== 'receivedPacket') return
    const { source, data } = received
    const known = this.#peer?.key.equals(source) === true ? this.#peer : undefined
    // A guest talks to its host only; a host to the guest that came last.
    if (known === undefined && this.role === 'guest') return
    const peer = known ?? (await this.#peerOf(source).catch(() => undefined))
    const opened = peer && openBox(peer.boxKey, data)
    const read = opened && decodeMessage(opened)
    if (peer === undefined || read === undefined || read.role === this.role || read.number <= peer.last) return
    peer.last = read.number
    await this.#handle(peer, read.message)
  }

  async #handle(peer: Peer, message: PairMessage): Promise<void> {
    if (message.type === 'hello') {
      if (this.role !== 'host' || !equalConstantTime(message.secret, this.#invitation.secret)) return
      this.#peer = peer
      await this.#seal(peer, { type: 'welcome' })
      this.#meet(peer)
    } else if (message.type === 'welcome') {
      this.#meet(peer)
    } else if (this.#peer === peer && this.#hasMet) {
      this.#events.onMessage(message)
    }
  }

  #meet({ key }: Peer): void {
    this.#hasMet = true
    this.#events.onMeet(key)
  }

  async #peerOf(key: NodePublicKey): Promise<Peer> {
    return { key, boxKey: await this.#agreement.agree(this.#privateKey, key), last: 0 }
  }

  async #seal({ key, boxKey }: Peer, message: PairMessage): Promise<void> {
    await this.#client.send(key, sealBox(boxKey, encodeMessage(this.role, ++this.#sent, message)))
  }
}
