/** Sends the requests of a plan and collects the responses. */

import type { DERPNode } from '../derpmap/types.ts'
import { type AddressPort, addressFrom16, type IpFamily, ipFamilyOf } from '../lib/address-port.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import { STUN_PORT } from '../stun/constants.ts'
import { createTxId, encodeBindingRequest, parseBindingResponse } from '../stun/message.ts'
import type { NetcheckPlatform, UdpSocket } from './platform.ts'
import type { Probe, ProbeSet } from './probe-plan.ts'
import { countAddress } from './report.ts'

/** Milliseconds after which UDP counts as blocked for a region. */
export const STUN_TIMEOUT_MS = 3_000

export interface StunFindings {
  /** Milliseconds by region ID. */
  readonly v4: ReadonlyMap<number, number>
  readonly v6: ReadonlyMap<number, number>
  readonly globalV4: ReadonlyMap<string, number>
  readonly globalV6: ReadonlyMap<string, number>
  readonly canSend: Readonly<Record<IpFamily, boolean>>
}

interface Sent {
  readonly set: ProbeSet
  readonly sentMs: number
}

export async function stunRound(
  platform: NetcheckPlatform,
  plan: readonly ProbeSet[],
  signal: AbortSignal,
): Promise<StunFindings> {
  const round = new StunRound(platform, plan, signal)
  try {
    return await round.run()
  } finally {
    round.close()
  }
}

class StunRound {
  readonly #platform: NetcheckPlatform
  readonly #clock: Clock
  readonly #plan: readonly ProbeSet[]
  readonly #signal: AbortSignal
  readonly #done = Promise.withResolvers<void>()
  readonly #timers: Timer[] = []
  readonly #sockets = new Map<IpFamily, Promise<UdpSocket>>()
  readonly #sent = new Map<string, Sent>()
  /** Sets without a response. */
  readonly #open: Set<ProbeSet>
  readonly #latency: Readonly<Record<IpFamily, Map<number, number>>> = { 4: new Map(), 6: new Map() }
  readonly #global: Readonly<Record<IpFamily, Map<string, number>>> = { 4: new Map(), 6: new Map() }
  readonly #canSend: Record<IpFamily, boolean> = { 4: false, 6: false }
  #isOver = false

  constructor(platform: NetcheckPlatform, plan: readonly ProbeSet[], signal: AbortSignal) {
    this.#platform = platform
    this.#clock = platform.clock
    this.#plan = plan
    this.#signal = signal
    this.#open = new Set(plan)
  }

  async run(): Promise<StunFindings> {
    const stop = () => this.#done.resolve()
    this.#signal.addEventListener('abort', stop)
    this.#timers.push(this.#clock.after(STUN_TIMEOUT_MS, stop, true))
    for (const set of this.#plan) for (const probe of set.probes) this.#schedule(set, probe)
    if (this.#open.size === 0) stop()
    await this.#done.promise
    this.#signal.removeEventListener('abort', stop)
    return {
      v4: this.#latency[4],
      v6: this.#latency[6],
      globalV4: this.#global[4],
      globalV6: this.#global[6],
      canSend: this.#canSend,
    }
  }

  close(): void {
    this.#isOver = true
    for (const timer of this.#timers) timer.cancel()
    for (const opening of this.#sockets.values()) opening.then(socket => socket.close()).catch(() => {})
  }

  #schedule(set: ProbeSet, probe: Probe): void {
    const send = () => void this.#send(set, probe).catch(() => {})
    if (probe.delayMs === 0) send()
    else this.#timers.push(this.#clock.after(probe.delayMs, send))
  }

  async #send(set: ProbeSet, { node, family }: Probe): Promise<void> {
    if (!this.#open.has(set)) return
    const to = await this.#addressOf(node, family)
    const socket = await this.#socket(family)
    if (this.#isOver || !this.#open.has(set)) return
    const txId = createTxId()
    this.#sent.set(txId.toString(), { set, sentMs: this.#clock.now() })
    await socket.send(encodeBindingRequest(txId), to)
    this.#canSend[family] = true
  }

  async #addressOf({ HostName, STUNPort, STUNTestIP, IPv4, IPv6 }: DERPNode, family: IpFamily): Promise<AddressPort> {
    const stated = STUNTestIP || (family === 4 ? IPv4 : IPv6) || HostName
    const isAddress = ipFamilyOf(stated) !== undefined
    const found = isAddress ? [stated] : await this.#platform.lookup(stated, family, this.#signal)
    const address = found.find(each => ipFamilyOf(each) === family)
    if (address === undefined) throw new Error(`look up ${HostName}: no IPv${family} address`)
    return { address, port: STUNPort || STUN_PORT }
  }

  #socket(family: IpFamily): Promise<UdpSocket> {
    const present = this.#sockets.get(family)
    if (present !== undefined) return present
    const opening = this.#platform.openUdp(family, bytes => this.#receive(bytes))
    this.#sockets.set(family, opening)
    return opening
  }

  /** Ignores everything except responses to our requests. */
  #receive(bytes: Uint8Array): void {
    const nowMs = this.#clock.now()
    const response = parseBindingResponse(bytes)
    if (!response.ok || this.#isOver) return
    const sent = this.#sent.get(response.txId.toString())
    if (sent === undefined) return
    this.#sent.delete(response.txId.toString())
    const { set, sentMs } = sent
    const best = this.#latency[set.family].get(set.regionId)
    const tookMs = nowMs - sentMs
    if (best === undefined || tookMs < best) this.#latency[set.family].set(set.regionId, tookMs)
    const { family, bytes: address, port } = response.address
    countAddress(this.#global[family], { address: family === 4 ? address.join('.') : addressFrom16(address), port })
    this.#open.delete(set)
    if (this.#open.size === 0) this.#done.resolve()
  }
}
