import { expect, test } from 'vitest'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { ServerToClient } from '../../src/protocol/messages.ts'
import { fc } from '../support/fast-check.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { atRest, type Chooser, MemoryWorkers } from '../support/memory-workers.ts'
import type { RawClient } from '../support/raw-client.ts'
import { settle } from '../support/settle.ts'

const MESH_KEY = '4d'.repeat(32)
const KEYS = Array.from({ length: 4 }, () => NodePrivateKey.generate())

/** An action; `client`, `key` and `worker` are taken modulo their number. */
type Step =
  | { readonly do: 'login'; readonly key: number; readonly mesh: boolean; readonly worker: number }
  | { readonly do: 'leave' | 'ping' | 'watch' | 'fault'; readonly client: number }
  | { readonly do: 'send' | 'disco' | 'closePeer'; readonly client: number; readonly key: number }

const client = fc.nat(20)
const key = fc.nat(KEYS.length - 1)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('login' as const), key, mesh: fc.boolean(), worker: fc.nat(3) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('leave', 'ping', 'watch', 'fault' as const), client }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('send', 'disco', 'closePeer' as const), client, key }) },
)

/** A relay under test, with any number of workers. */
interface Scene {
  login(one: Extract<Step, { do: 'login' }>): Promise<RawClient>
  rest(): Promise<void>
}

function perform(one: RawClient, { do: what, ...more }: Exclude<Step, { do: 'login' }>, n: number): void {
  const peer = (KEYS['key' in more ? more.key : 0] as NodePrivateKey).publicKey()
  if (what === 'leave') one.close()
  else if (what === 'ping') one.send({ type: 'ping', payload: new Uint8Array(8).fill(n) })
  else if (what === 'watch') one.send({ type: 'watchConns' })
  else if (what === 'closePeer') one.send({ type: 'closePeer', peer })
  else if (what === 'fault') one.sendBytes(Uint8Array.of(0x12, 0, 0, 0, 0))
  else if (what === 'send') one.packet(peer, `packet ${n}`)
  else one.packet(peer, Uint8Array.from([...new TextEncoder().encode('TS\u{1F4AC}'), ...new Uint8Array(60), n]))
}

/** Runs all steps in sequence; returns what every client has seen after each. */
async function outcome(scene: Scene, steps: readonly Step[]): Promise<string[]> {
  const clients: RawClient[] = []
  const seen: string[] = []
  for (const [n, one] of steps.entries()) {
    if (one.do === 'login') clients.push(await scene.login(one))
    else {
      const who = clients[one.client % Math.max(1, clients.length)]
      if (who !== undefined && !who.isClosed) perform(who, one, n)
    }
    await scene.rest()
    for (const [at, each] of clients.entries()) {
      const frames = each.waitingFrames.map(({ type, body }) => `${type}:${Buffer.from(body).toString('hex')}`)
      seen.push(`${n} ${one.do}: client ${at} ${each.isClosed ? 'closed' : 'open'} ${frames.join(' ')}`)
      while (each.waitingFrames.length > 0) await each.frame()
    }
  }
  return seen
}

function loginOptions(one: Extract<Step, { do: 'login' }>) {
  const info = one.mesh ? { meshKey: MESH_KEY } : {}
  return { privateKey: KEYS[one.key] as NodePrivateKey, info }
}

/** A deterministic choice by seed. */
function chooserOf(seed: number): Chooser {
  let state = seed | 1
  return count => {
    state = Math.imul(state, 0x5bd1e995) ^ (state >>> 13)
    return (state >>> 1) % count
  }
}

test('a relay with several workers behaves like one without (P-062, P-065, P-066, P-070, P-073)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 3, maxLength: 25 }),
      fc.integer({ min: 2, max: 4 }),
      fc.nat(),
      async (steps, workers, seed) => {
        const meshKey = MeshKey.parse(MESH_KEY)
        const single = new MemoryRelay({ meshKey })
        const one = await outcome({ login: login => single.login(loginOptions(login)), rest: () => settle(10) }, steps)
        const relay = await MemoryWorkers.start({ meshKey, workers, choose: chooserOf(seed) })
        const several = await outcome(
          { login: login => relay.login(login.worker % workers, loginOptions(login)), rest: () => atRest(relay) },
          steps,
        )
        expect(several).toEqual(one)
        const { counters } = await relay.coordinator.source.snapshot()
        const { queueAgeMs: _a, bufferedWriteFrames: _b, ...compared } = structuredClone(counters)
        const { queueAgeMs: _c, bufferedWriteFrames: _d, ...expected } = structuredClone(single.core.counters)
        expect(compared).toEqual(expected)
        expect(await relay.coordinator.source.inconsistencies()).toEqual([])
      },
    ),
    { numRuns: 60 },
  )
})

/** What a client was told of others, from its frames. */
function heardBy(messages: readonly ServerToClient[]): Map<string, { packets: number[]; gone: number }> {
  const heard = new Map<string, { packets: number[]; gone: number }>()
  const of = (name: string) => {
    const entry = heard.get(name) ?? { packets: [], gone: 0 }
    heard.set(name, entry)
    return entry
  }
  for (const message of messages) {
    if (message.type === 'receivedPacket') {
      const entry = of(String(message.source))
      expect(entry.gone, 'packets after the news that their source has left').toBe(0)
      entry.packets.push(message.data[0] as number)
    } else if (message.type === 'peerGone' && message.reason === 0) of(String(message.peer)).gone++
  }
  return heard
}

/** A temporary client with its own key. */
interface Guest {
  readonly worker: number
  readonly stays: boolean
  readonly sends: readonly number[]
}

const guest: fc.Arbitrary<Guest> = fc.record({
  worker: fc.nat(3),
  stays: fc.boolean(),
  sends: fc.array(fc.nat(7), { maxLength: 6 }),
})

test('in any order of events, departures are reported once and after all packets (P-062, P-070)', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(guest, { minLength: 2, maxLength: 8 }),
      fc.integer({ min: 2, max: 4 }),
      fc.nat(),
      async (guests, workers, seed) => {
        const relay = await MemoryWorkers.start({ meshKey: MeshKey.parse(MESH_KEY), workers, choose: chooserOf(seed) })
        const watcher = await relay.login(0, { info: { meshKey: MESH_KEY } })
        watcher.send({ type: 'watchConns' })
        const clients = await Promise.all(guests.map(({ worker }) => relay.login(worker % workers)))
        await Promise.all(
          guests.map(async ({ stays, sends }, at) => {
            const one = clients[at] as RawClient
            for (const [n, to] of sends.entries()) {
              one.packet((clients[to % clients.length] as RawClient).publicKey, Uint8Array.of(n))
              if (n % 2 === 1) await settle(1)
            }
            await one.flushed()
            if (!stays) one.close()
          }),
        )
        await atRest(relay)
        for (const [at, { stays }] of guests.entries()) {
          const one = clients[at] as RawClient
          if (!stays) continue
          for (const [name, { packets, gone }] of heardBy(await one.sync())) {
            expect(packets, 'packets in order').toEqual(packets.toSorted((a, b) => a - b))
            const source = clients.findIndex(({ publicKey }) => String(publicKey) === name)
            expect(gone, `departure of ${source}`).toBe(guests[source]?.stays === false ? 1 : 0)
          }
        }
        const here = new Set<string>()
        for (const message of await watcher.sync()) {
          if (message.type === 'peerPresent') here.add(String(message.peer))
          else if (message.type === 'peerGone') here.delete(String(message.peer))
        }
        const staying = clients.filter((_, at) => guests[at]?.stays === true)
        expect([...here].toSorted()).toEqual([watcher, ...staying].map(one => String(one.publicKey)).toSorted())
        expect(await relay.coordinator.source.inconsistencies()).toEqual([])
      },
    ),
    { numRuns: 60 },
  )
})
