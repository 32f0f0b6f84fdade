import { expect, test } from 'vitest'
import { NodePublicKey } from '../../src/keys/node-key.ts'
import { type Member, Registry } from '../../src/server/registry.ts'
import { fc } from '../support/fast-check.ts'
import { NaiveRegistry } from '../support/naive-registry.ts'

const KEYS = ['k0', 'k1', 'k2']
const key = (name: string) => NodePublicKey.fromBytes(new Uint8Array(32).fill(KEYS.indexOf(name) + 1))
const nameOf = (publicKey: NodePublicKey) => KEYS[(publicKey.bytes[0] as number) - 1] as string

interface Conn extends Member {
  readonly name: string
}

/** Both registries with the same inputs; compares their outputs after every step. */
class Twins {
  readonly naive = new NaiveRegistry()
  readonly log: string[] = []
  readonly routes: Record<string, string> = {}
  readonly duplicates = new Set<string>()
  readonly conns: Conn[] = []
  readonly subscribed = new Set<string>()
  readonly real: Registry<Conn, string>
  #made = 0

  constructor() {
    this.real = new Registry<Conn, string>({
      routeChanged: (changed, { active, link }) => {
        const to = active?.name ?? link
        if (to === undefined) delete this.routes[nameOf(changed)]
        else this.routes[nameOf(changed)] = to
      },
      duplicateChanged: (conn, isDuplicate) => {
        if (isDuplicate) this.duplicates.add(conn.name)
        else this.duplicates.delete(conn.name)
      },
      keyLeft() {},
      peerLeft: (conn, peer) => this.log.push(`${conn.name} loses ${nameOf(peer)}`),
      presence: (watcher, changes) => {
        for (const change of changes) {
          if (change.present) this.log.push(`${watcher.name} sees ${change.address?.address}`)
          else this.log.push(`${watcher.name} misses ${nameOf(change.peer)}`)
        }
      },
    })
  }

  add(keyName: string): void {
    const name = `c${this.#made++}`
    // The address identifies the connection in presence messages.
    const conn = { name, key: key(keyName), remote: { address: name, port: 1 }, flags: 1 }
    this.conns.push(conn)
    this.real.add(conn)
    this.naive.add(name, keyName)
  }

  check(): void {
    expect(this.routes).toEqual(this.naive.routes())
    // The naive one floods in its own insertion order; simultaneous events have no order.
    expect(this.log.toSorted()).toEqual(this.naive.log.toSorted())
    const { counters } = this.real
    expect(counters).toEqual({
      duplicateKeys: this.naive.counters.dupKeys,
      duplicateConnections: this.naive.counters.dupConns,
      duplicateConnectionsTotal: this.naive.counters.dupTotal,
      multiForwardersCreated: this.naive.counters.multiCreated,
      multiForwardersDeleted: this.naive.counters.multiDeleted,
      forwarderRemovalsOfOther: this.naive.counters.removedOther,
    })
    const awaited = KEYS.filter(name => (this.naive.goneWatchers.get(name) ?? []).length > 0)
    expect(KEYS.filter(name => this.real.isAwaited(key(name).bytes, 0))).toEqual(awaited)
    expect(this.real.localKeys).toBe(this.naive.clients.size)
    expect(this.real.totalKeys).toBe(this.naive.mesh.size)
    expect(this.real.watcherCount).toBe(this.naive.watchers.size)
    expect(this.duplicates.size).toBe(this.naive.counters.dupConns)
    expect(this.real.inconsistencies(this.conns.length)).toEqual([])
  }
}

type Step = (twins: Twins) => void
const keyNames = fc.constantFrom(...KEYS)
const forwarders = fc.constantFrom('f0', 'f1', 'f2')
const pick = (twins: Twins, at: number): Conn | undefined => twins.conns[at % Math.max(1, twins.conns.length)]

const step: fc.Arbitrary<Step> = fc.oneof(
  keyNames.map(name => (twins: Twins) => twins.add(name)),
  fc.nat().map(at => (twins: Twins) => {
    const conn = pick(twins, at)
    if (conn === undefined) return
    twins.conns.splice(twins.conns.indexOf(conn), 1)
    twins.real.remove(conn)
    twins.duplicates.delete(conn.name)
    twins.naive.remove(conn.name)
  }),
  fc.nat().map(at => (twins: Twins) => {
    const conn = pick(twins, at)
    if (conn === undefined) return
    twins.real.noteActivity(conn)
    twins.naive.activity(conn.name)
  }),
  fc.nat().map(at => (twins: Twins) => {
    const conn = pick(twins, at)
    if (conn === undefined) return
    twins.real.watch(conn)
    twins.naive.watch(conn.name)
  }),
  fc.tuple(fc.nat(), keyNames).map(([at, name]) => (twins: Twins) => {
    const conn = pick(twins, at)
    const pair = `${conn?.name} ${name}`
    // A session subscribes to each source once.
    if (conn === undefined || twins.subscribed.has(pair)) return
    twins.subscribed.add(pair)
    twins.real.subscribePeerGone(conn, key(name))
    twins.naive.subscribe(conn.name, name)
  }),
  fc.tuple(keyNames, forwarders, fc.boolean()).map(([name, forwarder, isNewest]) => (twins: Twins) => {
    twins.real.announce(key(name), forwarder, isNewest)
    twins.naive.addForwarder(name, forwarder, isNewest)
  }),
  fc.tuple(keyNames, forwarders, fc.boolean()).map(([name, forwarder, hasLeft]) => (twins: Twins) => {
    if (hasLeft) twins.real.withdraw(key(name), forwarder)
    else twins.real.forget(key(name), forwarder)
    twins.naive.removeForwarder(name, forwarder, hasLeft)
  }),
  keyNames.map(name => (twins: Twins) => {
    twins.real.leave(key(name))
    twins.naive.leave(name)
  }),
)

test('Registry equals the naive one under random events (P-062, P-065, P-066, P-070, P-075, P-304, P-314, P-315)', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const twins = new Twins()
      for (const run of steps) {
        run(twins)
        twins.check()
      }
    }),
    { numRuns: 400 },
  )
})
