/** The STUN client: asks a server from which address and port our packets arrive (P-182). */

import { createSocket, type Socket } from 'node:dgram'
import { addressFrom16 } from '../lib/address-port.ts'
import { equalBytes } from '../lib/bytes.ts'
import type { Timer } from '../lib/clock.ts'
import { lookUpOne } from '../lib/names/node-name-lookup.ts'
import { type ResolvedBindingOptions, resolveBindingOptions, type StunBindingOptions } from './client-options.ts'
import type { StunAddress } from './mapped-address.ts'
import { createTxId, encodeBindingRequest, parseBindingResponse } from './message.ts'
import { StunError } from './stun-error.ts'

/** Result of one exchange. */
export interface StunBinding {
  /** Our address as seen by the server; IPv4 never in mapped form. */
  readonly address: string
  /** Our UDP port as seen by the server. */
  readonly port: number
  /** Milliseconds from the answered request to its response. */
  readonly rttMs: number
}

/**
 * Sends binding requests until one is answered, on its own socket.
 *
 * Rejects with a {@link StunError} or the signal's reason, and with a RangeError for invalid options.
 *
 * @example
 * ```ts
 * const { address, port, rttMs } = await stunBinding({ host: 'relay.example', timeoutMs: 3_000 })
 * console.log(`${address}:${port} after ${rttMs} ms`)
 * ```
 */
export async function stunBinding(options: StunBindingOptions): Promise<StunBinding> {
  return new BindingExchange(resolveBindingOptions(options)).run()
}

interface SentRequest {
  readonly txId: Uint8Array
  readonly sentMs: number
}

class BindingExchange {
  readonly #options: ResolvedBindingOptions
  readonly #outcome = Promise.withResolvers<StunBinding>()
  // Each request has its own id, so that a response identifies its request and the time is exact.
  readonly #sent: SentRequest[] = []
  #socket: Socket | undefined
  #retransmit: Timer | undefined
  #finished = false

  constructor(options: ResolvedBindingOptions) {
    this.#options = options
  }

  async run(): Promise<StunBinding> {
    const { signal, clock, host, timeoutMs } = this.#options
    signal?.throwIfAborted()
    const abort = () => this.#outcome.reject(signal?.reason)
    const deadline = clock.after(timeoutMs, () => {
      this.#outcome.reject(
        new StunError('ERR_DERP_STUN_TIMEOUT', `ask STUN server ${host}: no response in ${timeoutMs} ms`),
      )
    })
    signal?.addEventListener('abort', abort)
    try {
      this.#start().catch((error: unknown) => this.#fail(error))
      return await this.#outcome.promise
    } finally {
      this.#finished = true
      deadline.cancel()
      this.#retransmit?.cancel()
      signal?.removeEventListener('abort', abort)
      this.#socket?.close()
    }
  }

  async #start(): Promise<void> {
    const { host, port, family } = this.#options
    const found = await lookUpOne(host, family === 0 ? undefined : family)
    if (this.#finished) return
    // The platform returns an address of any family as it is.
    if (family !== 0 && found.family !== family) throw new Error(`not an IPv${family} address`)
    const socket = createSocket(found.family === 4 ? 'udp4' : 'udp6')
    this.#socket = socket
    socket.on('error', error => this.#fail(error))
    socket.on('message', datagram => this.#receive(datagram))
    // A connected socket only receives datagrams from the server, and learns when its port is closed.
    socket.once('connect', () => this.#request(socket))
    socket.connect(port, found.address)
  }

  #request(socket: Socket): void {
    if (this.#finished) return
    const { clock, maxRequests, retransmitMs } = this.#options
    const txId = createTxId()
    this.#sent.push({ txId, sentMs: clock.now() })
    socket.send(encodeBindingRequest(txId))
    if (this.#sent.length >= maxRequests) return
    const waitMs = retransmitMs * 2 ** (this.#sent.length - 1)
    this.#retransmit = clock.after(waitMs, () => this.#request(socket))
  }

  // Anything but a response to one of our requests is ignored: the deadline bounds the wait.
  #receive(datagram: Uint8Array): void {
    const nowMs = this.#options.clock.now()
    const response = parseBindingResponse(datagram)
    if (!response.ok) return
    const request = this.#sent.find(({ txId }) => equalBytes(txId, response.txId))
    if (request === undefined) return
    const { address, port } = textAddress(response.address)
    this.#outcome.resolve({ address, port, rttMs: nowMs - request.sentMs })
  }

  #fail(cause: unknown): void {
    const { host, port } = this.#options
    const reason = cause instanceof Error ? cause.message : String(cause)
    const message = `ask STUN server ${host} port ${port}: ${reason}`
    this.#outcome.reject(new StunError('ERR_DERP_STUN_UNREACHABLE', message, { cause }))
  }
}

function textAddress({ family, bytes, port }: StunAddress): { address: string; port: number } {
  return { address: family === 4 ? bytes.join('.') : addressFrom16(bytes), port }
}
