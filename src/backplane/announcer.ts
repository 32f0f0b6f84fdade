/**
 * Announces which keys connect to this relay and disconnect, and sends full lists to relays that missed messages.
 *
 * Clauses: P-305, P-312, P-313, P-317.
 */

import { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { Clock, Timer } from '../lib/clock.ts'
import type { RegionCounters } from '../metrics/region-counters.ts'
import type { Bus } from './bus.ts'
import { encodeMessage } from './encode.ts'
import type { KeyTime } from './key-times.ts'
import { COLLECT_MS, LIST_PART_MS, MAX_KEYS } from './limits.ts'
import type { LocalKey, LocalKeys } from './local-keys.ts'
import type { ListPart } from './message.ts'
import type { RelayId } from './stamp.ts'

export interface AnnouncerPorts {
  readonly bus: Bus
  readonly clock: Clock
  readonly counters: RegionCounters
  readonly locals: LocalKeys
  /** Whether another relay has a newer login of the key; if so, the key is not announced. */
  isSuperseded(key: NodePublicKey): boolean
  /** The list for all relays has been sent. */
  onListed(): void
}

/** A list being sent. */
interface List {
  readonly keys: Iterator<[NodePublicKey, LocalKey]>
  part: number
  timer: Timer | undefined
}

/** Receiver of a list; undefined for all relays. */
type ListReceiver = RelayId | undefined

export class Announcer {
  readonly #ports: AnnouncerPorts
  #here: KeyTime[] = []
  #gone: KeyTime[] = []
  /** Keys in both. */
  #collected = new KeyMap<true>()
  #timer: Timer | undefined
  #sequence = 0
  #hasLost = false
  #isOpen = false
  /** Lists by receiver. */
  readonly #lists = new Map<ListReceiver, List>()

  constructor(ports: AnnouncerPorts) {
    this.#ports = ports
  }

  /** Number of the last message to all relays. */
  get sequence(): number {
    return this.#sequence
  }

  /** Whether other relays have missed a message and need the list of all keys. */
  get hasLost(): boolean {
    return this.#hasLost
  }

  /** A message about keys was not sent. */
  noteLost(): void {
    this.#hasLost = true
    this.#ports.counters.messagesLost++
  }

  /** A login, or an older one that has become the newest. */
  here(key: NodePublicKey, time: number): void {
    this.#prepare(key)
    this.#here.push({ key, time })
  }

  /** The login with that time has ended. */
  gone(key: NodePublicKey, time: number): void {
    this.#prepare(key)
    this.#gone.push({ key, time })
  }

  /** Starts announcing, with the list of all keys. */
  open(): void {
    this.#isOpen = true
    this.#clear()
    this.list()
  }

  /** Stops announcing. */
  close(): void {
    this.#isOpen = false
    this.#clear()
    for (const [to] of this.#lists) this.#endList(to)
  }

  /** Sends the list of all keys to all relays or to one; restarts a list being sent. */
  list(to?: RelayId): void {
    if (!this.#isOpen) return
    this.flush()
    this.#endList(to)
    if (to === undefined) this.#hasLost = false
    this.#ports.counters.listsSent++
    this.#lists.set(to, { keys: this.#ports.locals[Symbol.iterator](), part: 0, timer: undefined })
    this.#sendPart(to)
  }

  /** Sends what has been collected. */
  flush(): void {
    const [here, gone] = [this.#here, this.#gone]
    this.#clear()
    if (gone.length > 0) {
      this.#broadcast('gone', encodeMessage({ type: 'gone', sequence: ++this.#sequence, keys: gone }))
    }
    if (here.length > 0) {
      const message = { type: 'here', sequence: ++this.#sequence, list: undefined, keys: here } as const
      this.#broadcast('here', encodeMessage(message))
    }
  }

  /** Messages about one key must arrive in order. */
  #prepare(key: NodePublicKey): void {
    if (this.#collected.size >= MAX_KEYS || this.#collected.has(key)) this.flush()
    this.#collected.set(key, true)
    this.#timer ??= this.#ports.clock.after(COLLECT_MS, () => this.flush())
  }

  #clear(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    this.#here = []
    this.#gone = []
    this.#collected = new KeyMap()
  }

  #sendPart(to: ListReceiver): void {
    const list = this.#lists.get(to)
    if (list === undefined) return
    const keys: KeyTime[] = []
    let isLast = false
    while (keys.length < MAX_KEYS && !isLast) {
      const next = list.keys.next()
      if (next.done === true) isLast = true
      else if (!this.#ports.isSuperseded(next.value[0])) keys.push({ key: next.value[0], time: next.value[1].time })
    }
    this.#sendKeys(to, keys, { number: list.part++, isLast })
    if (isLast) {
      this.#lists.delete(to)
      if (to === undefined) this.#ports.onListed()
    } else list.timer = this.#ports.clock.after(LIST_PART_MS, () => this.#sendPart(to))
  }

  #sendKeys(to: ListReceiver, keys: readonly KeyTime[], list: ListPart): void {
    if (to === undefined) {
      this.#broadcast('here', encodeMessage({ type: 'here', sequence: ++this.#sequence, list, keys }))
    } else if (!this.#ports.bus.send(to, encodeMessage({ type: 'here', sequence: 0, list, keys }))) this.noteLost()
  }

  #broadcast(kind: 'here' | 'gone', bytes: Uint8Array): void {
    if (this.#isOpen && this.#ports.bus.broadcast(kind, bytes)) return
    this.noteLost()
  }

  #endList(to: ListReceiver): void {
    this.#lists.get(to)?.timer?.cancel()
    this.#lists.delete(to)
  }
}
