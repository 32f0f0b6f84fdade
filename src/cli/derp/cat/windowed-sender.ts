/** Sends packets to a peer that acknowledges each, with a bounded number in flight. */

import type { Client } from '../../../client/client.ts'
import type { NodePublicKey } from '../../../keys/public-key.ts'
import { DerpError, isDerpError } from '../../../lib/derp-error.ts'
import { decodeTransfer, encodeTransfer, type TransferMessage } from './transfer-messages.ts'

/** Payload bytes per packet: little header overhead, well below the maximum (P-052). */
export const CHUNK_BYTES: number = 16 << 10
/** Packets in flight: half of a relay's queue for a slow reader, so none are dropped. */
const WINDOW_PACKETS = 16
const ANSWER_TIMEOUT_MS = 10_000

/** What is needed of a client. */
export type PacketPort = Pick<Client, 'send' | 'recv'>

export class WindowedSender {
  readonly #client: PacketPort
  readonly #peer: NodePublicKey
  #inFlight = 0

  constructor(client: PacketPort, peer: NodePublicKey) {
    this.#client = client
    this.#peer = peer
  }

  /** Sends bytes of any length but 0. @throws DerpError when the peer is gone, silent, or refuses. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      if (this.#inFlight === WINDOW_PACKETS) await this.#acknowledgement()
      await this.#client.send(this.#peer, bytes.subarray(at, at + CHUNK_BYTES))
      this.#inFlight++
    }
  }

  /** Waits until everything is acknowledged. */
  async settled(): Promise<void> {
    while (this.#inFlight > 0) await this.#acknowledgement()
  }

  /** Ends a transfer with the hash of its data, and waits for the verdict. @throws DerpError with the peer's problem. */
  async end(sha256: string): Promise<void> {
    await this.settled()
    await this.#client.send(this.#peer, encodeTransfer({ kind: 'end', sha256 }))
    while ((await this.#answer()) === undefined);
  }

  async #acknowledgement(): Promise<void> {
    await this.#answer()
    this.#inFlight--
  }

  /** An acknowledgement, or a verdict without a problem. */
  async #answer(): Promise<TransferMessage | undefined> {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS)
    try {
      for (;;) {
        const message = await this.#client.recv(signal)
        if (message.type === 'peerGone' && message.peer.equals(this.#peer)) break
        if (message.type !== 'receivedPacket' || !message.source.equals(this.#peer)) continue
        if (message.data.length === 0) return undefined
        const verdict = decodeTransfer(message.data)
        if (verdict?.kind !== 'verdict') continue
        if (verdict.problem !== '') throw this.#failed(verdict.problem)
        return verdict
      }
    } catch (error) {
      if (!isDerpError(error, 'ERR_DERP_ABORTED')) throw error
    }
    throw this.#failed(
      'no acknowledgement; is "derp cat" running there on the same relay? --no-ack sends to other programs',
    )
  }

  #failed(reason: string): DerpError {
    return new DerpError('ERR_DERP_CONN_CLOSED', `send to ${this.#peer.shortString()}: ${reason}`)
  }
}
