/** Keys connected to this relay, with their login times (P-302, P-307). */

import { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { Member } from '../server/registry.ts'

/** A key's connections. */
export interface LocalKey {
  /** Time of the newest login still connected. */
  readonly time: number
}

interface Entry {
  time: number
  /** The only connection, or all of them with their login times. */
  connections: Member | Map<Member, number>
}

export class LocalKeys implements Iterable<[NodePublicKey, LocalKey]> {
  readonly #keys = new KeyMap<Entry>()

  get size(): number {
    return this.#keys.size
  }

  get(bytes: Uint8Array, offset = 0): LocalKey | undefined {
    return this.#keys.get(bytes, offset)
  }

  /** Adds a login later than all previous ones. */
  add(member: Member, time: number): void {
    const entry = this.#keys.get(member.key.bytes)
    if (entry === undefined) {
      this.#keys.set(member.key, { time, connections: member })
      return
    }
    if (!(entry.connections instanceof Map)) entry.connections = new Map([[entry.connections, entry.time]])
    entry.connections.set(member, time)
    entry.time = time
  }

  /**
   * Removes a connection.
   *
   * @returns the key's time before and after, the latter undefined if it was its last connection; undefined for a
   *   connection that was not added.
   */
  remove(member: Member): { readonly before: number; readonly after: number | undefined } | undefined {
    const entry = this.#keys.get(member.key.bytes)
    if (entry === undefined) return undefined
    const before = entry.time
    if (!(entry.connections instanceof Map)) {
      if (entry.connections !== member) return undefined
      this.#keys.delete(member.key)
      return { before, after: undefined }
    }
    if (!entry.connections.delete(member)) return undefined
    const left = [...entry.connections]
    entry.time = Math.max(...left.map(([, time]) => time))
    if (left.length === 1) for (const [last] of left) entry.connections = last
    return { before, after: entry.time }
  }

  /** Gives all logins later times, in their order. */
  restamp(next: () => number): void {
    const logins = [...this.#keys].flatMap(([, entry]) => {
      if (!(entry.connections instanceof Map)) return [{ entry, member: entry.connections, time: entry.time }]
      return [...entry.connections].map(([member, time]) => ({ entry, member, time }))
    })
    for (const { entry, member } of logins.sort((a, b) => a.time - b.time)) {
      // The last one of a key is its newest.
      entry.time = next()
      if (entry.connections instanceof Map) entry.connections.set(member, entry.time)
    }
  }

  /** Includes keys added during iteration. */
  [Symbol.iterator](): Iterator<[NodePublicKey, LocalKey]> {
    return this.#keys[Symbol.iterator]()
  }
}
