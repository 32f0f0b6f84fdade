/**
 * A map from public keys, looked up straight from a received buffer.
 *
 * A lookup allocates nothing: it runs once per relayed packet.
 */

import { createRandomKeyHash, type KeyHash } from './key-hash.ts'
import { KEY_BYTES } from './key-text.ts'
import type { NodePublicKey } from './public-key.ts'

const FIRST_CHAINS = 16

interface Entry<V> {
  readonly hash: number
  readonly key: NodePublicKey
  /** Undefined once the entry has been deleted. */
  value: V | undefined
  /** In its chain; itself once it has been deleted. */
  next: Entry<V> | undefined
  /** In the order of insertion. A `Set` would take twice as much as all entries. */
  before: Entry<V> | undefined
  after: Entry<V> | undefined
}

/** A mutable map keyed by the contents of a {@link NodePublicKey}; iterates in insertion order, like `Map`. */
export class KeyMap<V> implements Iterable<[NodePublicKey, V]> {
  readonly #hash: KeyHash
  // The length is a power of two; the low bits of the hash select the chain.
  #chains: (Entry<V> | undefined)[] = emptyChains(FIRST_CHAINS)
  #first: Entry<V> | undefined
  #last: Entry<V> | undefined
  #size = 0
  #iterations = 0

  /** @param hash for tests; by default every map has fresh seeds, because keys come from strangers. */
  constructor(hash: KeyHash = createRandomKeyHash()) {
    this.#hash = hash
  }

  get size(): number {
    return this.#size
  }

  /** The value for the 32 key bytes at `offset`; the caller has checked that they exist. */
  get(bytes: Uint8Array, offset = 0): V | undefined {
    return this.find(bytes, offset)?.value
  }

  /** The entry behind {@link get}; it stays current as long as it is in the map. */
  find(bytes: Uint8Array, offset: number): Readonly<Entry<V>> | undefined {
    return this.#find(bytes, offset, this.#hash(bytes, offset))
  }

  has(key: NodePublicKey): boolean {
    return this.#find(key.bytes, 0, this.#hash(key.bytes, 0)) !== undefined
  }

  /** Adds or replaces; a replaced entry keeps its position in the iteration. */
  set(key: NodePublicKey, value: V): this {
    const hash = this.#hash(key.bytes, 0)
    const found = this.#find(key.bytes, 0, hash)
    if (found !== undefined) {
      found.value = value
      return this
    }
    if (this.#size >= this.#chains.length) this.#grow()
    const last = this.#last
    const entry: Entry<V> = { hash, key, value, next: undefined, before: last, after: undefined }
    this.#link(entry)
    if (last === undefined) this.#first = entry
    else last.after = entry
    this.#last = entry
    this.#size++
    return this
  }

  /** Returns whether the key was there. */
  delete(key: NodePublicKey): boolean {
    const hash = this.#hash(key.bytes, 0)
    const found = this.#find(key.bytes, 0, hash)
    if (found === undefined) return false
    this.#unlink(found)
    this.#takeOut(found)
    found.value = undefined
    found.next = found
    this.#size--
    return true
  }

  /** Sees entries added during iteration and skips deleted ones, like `Map`. */
  *[Symbol.iterator](): Generator<[NodePublicKey, V], void, undefined> {
    this.#iterations++
    try {
      for (let at = this.#first; at !== undefined; at = this.#following(at)) yield [at.key, at.value as V]
    } finally {
      this.#iterations--
    }
  }

  #following(entry: Entry<V>): Entry<V> | undefined {
    let at: Entry<V> | undefined = entry
    // Back to one that is still there: all between it and a deleted one have been deleted as well.
    while (at !== undefined && at.next === at) at = at.before
    return at === undefined ? this.#first : at.after
  }

  #takeOut(entry: Entry<V>): void {
    const { before, after } = entry
    if (before === undefined) this.#first = after
    else before.after = after
    if (after === undefined) this.#last = before
    else after.before = before
    entry.after = undefined
    // Iterations return by it. Without any it is cleared, or a deleted entry that is still held would retain other deleted ones.
    if (this.#iterations === 0) entry.before = undefined
  }

  #find(bytes: Uint8Array, offset: number, hash: number): Entry<V> | undefined {
    let entry = this.#chains[hash & (this.#chains.length - 1)]
    while (entry !== undefined && !(entry.hash === hash && equalAt(entry.key.bytes, bytes, offset))) entry = entry.next
    return entry
  }

  #link(entry: Entry<V>): void {
    const chain = entry.hash & (this.#chains.length - 1)
    entry.next = this.#chains[chain]
    this.#chains[chain] = entry
  }

  #unlink(entry: Entry<V>): void {
    const chain = entry.hash & (this.#chains.length - 1)
    let before = this.#chains[chain]
    if (before === entry) {
      this.#chains[chain] = entry.next
      return
    }
    while (before !== undefined && before.next !== entry) before = before.next
    if (before !== undefined) before.next = entry.next
  }

  #grow(): void {
    this.#chains = emptyChains<V>(this.#chains.length * 2)
    for (let entry = this.#first; entry !== undefined; entry = entry.after) this.#link(entry)
  }
}

/**
 * Lookups where most keys repeat: within a flow each packet costs a comparison, not a hash.
 *
 * Always returns what the map would.
 */
export class KeyLookup<V> {
  readonly #map: KeyMap<V>
  #last: Readonly<Entry<V>> | undefined

  constructor(map: KeyMap<V>) {
    this.#map = map
  }

  /** Like {@link KeyMap.get}. */
  get(bytes: Uint8Array, offset: number): V | undefined {
    const last = this.#last
    if (last?.value !== undefined && equalAt(last.key.bytes, bytes, offset)) return last.value
    const found = this.#map.find(bytes, offset)
    this.#last = found
    return found?.value
  }
}

function emptyChains<V>(length: number): (Entry<V> | undefined)[] {
  // For 100,000 keys ten times as fast as Array.from; without holes.
  const chains: (Entry<V> | undefined)[] = []
  for (let at = 0; at < length; at++) chains.push(undefined)
  return chains
}

function equalAt(key: Uint8Array, bytes: Uint8Array, offset: number): boolean {
  // Four at a time: most comparisons are of equal keys.
  for (let i = 0; i < KEY_BYTES; i += 4) {
    const at = offset + i
    const difference =
      ((key[i] as number) ^ (bytes[at] as number)) |
      ((key[i + 1] as number) ^ (bytes[at + 1] as number)) |
      ((key[i + 2] as number) ^ (bytes[at + 2] as number)) |
      ((key[i + 3] as number) ^ (bytes[at + 3] as number))
    if (difference !== 0) return false
  }
  return true
}
