/**
 * The original's registry with plain lists, as an oracle: slow, obvious, and structured like the reference rather than
 * like ours.
 */

/** Events of the oracle. */
export type RegistryLog = string[]

interface Duplicates {
  set: string[]
  last: string | undefined
  history: string[]
}

export class NaiveRegistry {
  readonly log: RegistryLog = []
  readonly counters: Record<
    'dupKeys' | 'dupConns' | 'dupTotal' | 'multiCreated' | 'multiDeleted' | 'removedOther',
    number
  > = { dupKeys: 0, dupConns: 0, dupTotal: 0, multiCreated: 0, multiDeleted: 0, removedOther: 0 }
  /** Active connection and duplicates by key. */
  readonly clients: Map<string, { active: string | undefined; dup: Duplicates | undefined }> = new Map()
  /** Forwarders by key; empty if the key is only local. */
  readonly mesh: Map<string, string[]> = new Map()
  readonly watchers: Set<string> = new Set()
  readonly goneWatchers: Map<string, string[]> = new Map()
  readonly keyOf: Map<string, string> = new Map()
  /** Ours only: forwarders that reach a newer login than all connections here. */
  readonly newest: Map<string, string> = new Map()

  add(conn: string, key: string): void {
    this.keyOf.set(conn, key)
    this.newest.delete(key)
    const set = this.clients.get(key) ?? { active: undefined, dup: undefined }
    this.clients.set(key, set)
    const was = set.active
    if (set.dup !== undefined) {
      this.counters.dupConns++
      this.counters.dupTotal++
      set.dup.set.push(conn)
      set.dup.last = conn
      set.dup.history.push(conn)
    } else if (was !== undefined) {
      this.counters.dupKeys++
      this.counters.dupConns += 2
      this.counters.dupTotal++
      set.dup = { set: [conn, was], last: conn, history: [was] }
    }
    set.active = conn
    if (!this.mesh.has(key)) this.mesh.set(key, [])
    for (const watcher of this.watchers) this.log.push(`${watcher} sees ${conn}`)
  }

  remove(conn: string): void {
    const key = this.keyOf.get(conn) as string
    const set = this.clients.get(key)
    if (set === undefined) return
    for (const [peer, subscribers] of this.goneWatchers) {
      this.goneWatchers.set(
        peer,
        subscribers.filter(other => other !== conn),
      )
    }
    this.watchers.delete(conn)
    if (set.dup === undefined) {
      this.clients.delete(key)
      if (this.mesh.get(key)?.length === 0) this.#gone(key)
      for (const watcher of this.watchers) this.log.push(`${watcher} misses ${key}`)
      return
    }
    const { dup } = set
    dup.set = dup.set.filter(other => other !== conn)
    if (dup.last === conn) dup.last = undefined
    dup.history = dup.history.filter(other => other !== conn).filter((other, at, all) => other !== all[at - 1])
    if (dup.last === undefined) dup.last = dup.history.at(-1)
    this.counters.dupConns--
    if (dup.set.length === 1) {
      this.counters.dupConns--
      this.counters.dupKeys--
      set.active = dup.set[0]
      set.dup = undefined
    } else {
      set.active = dup.last
    }
  }

  activity(conn: string): void {
    const set = this.clients.get(this.keyOf.get(conn) as string)
    if (set?.dup === undefined) return
    set.dup.last = conn
    set.active = conn
    if (set.dup.history.at(-1) !== conn) set.dup.history.push(conn)
  }

  watch(conn: string): void {
    for (const { active } of this.clients.values()) if (active !== undefined) this.log.push(`${conn} sees ${active}`)
    this.watchers.add(conn)
  }

  subscribe(conn: string, peer: string): void {
    this.goneWatchers.set(peer, [...(this.goneWatchers.get(peer) ?? []), conn])
  }

  addForwarder(key: string, forwarder: string, isNewest: boolean): void {
    if (isNewest) this.newest.set(key, forwarder)
    else if (this.newest.get(key) === forwarder) this.newest.delete(key)
    const list = this.mesh.get(key) ?? []
    this.mesh.set(key, list)
    if (list.includes(forwarder)) return
    list.push(forwarder)
    if (list.length === 2) this.counters.multiCreated++
  }

  removeForwarder(key: string, forwarder: string, hasLeft: boolean): void {
    if (this.newest.get(key) === forwarder) this.newest.delete(key)
    const list = this.mesh.get(key)
    if (list === undefined) return
    if (list.length > 1) {
      if (!list.includes(forwarder)) return
      list.splice(list.indexOf(forwarder), 1)
      if (list.length === 1) this.counters.multiDeleted++
    } else if (list[0] !== forwarder) {
      this.counters.removedOther++
    } else {
      list.pop()
      if (this.clients.has(key)) return
      if (hasLeft) this.#gone(key)
      else this.mesh.delete(key)
    }
  }

  /** Where packets for a key go. */
  routes(): Record<string, string> {
    const routes: Record<string, string> = {}
    for (const [key, list] of this.mesh) {
      const to = this.newest.get(key) ?? this.clients.get(key)?.active ?? list[0]
      if (to !== undefined) routes[key] = to
    }
    return routes
  }

  /** Ours only: a key that nothing here knows has left. */
  leave(key: string): void {
    if (!this.mesh.has(key)) this.#gone(key)
  }

  #gone(key: string): void {
    this.mesh.delete(key)
    for (const conn of this.goneWatchers.get(key) ?? []) this.log.push(`${conn} loses ${key}`)
    this.goneWatchers.delete(key)
  }
}
