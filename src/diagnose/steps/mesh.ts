/** Whether the relays of a region forward to each other. */

import { DerpClient } from '../../client/derp-client.ts'
import { openDerp, reach, reachable } from '../connect.ts'
import { type Delivery, deliver } from '../delivery.ts'
import { type Examination, type Step, StepTimeoutError, withinLimit } from '../step.ts'
import type { RelayTarget } from '../target.ts'
import { failed, messageOf, passed, skipped, type Verdict } from '../verdict.ts'

export const meshKey: Step = {
  id: 'mesh-key',
  title: 'Mesh key',
  layer: 'mesh',
  after: ['server-key'],
  silence: 'mesh-key-differs',
  async run(examination, signal) {
    const { meshKey: key } = examination.options
    if (key === undefined) return skipped('no mesh key was given')
    const { platform } = examination
    const privateKey = await platform.generateKey()
    const conn = await openDerp(reachable(examination), signal)
    const login = { privateKey, agreement: platform.agreement, clock: platform.clock, meshKey: key }
    const client = await DerpClient.login(conn, login, signal)
    try {
      await client.watchConnectionChanges()
      // A client with the mesh key is also notified about itself; others are disconnected.
      while ((await client.recv(signal)).type !== 'peerPresent');
      return passed('accepted')
    } catch (error) {
      if (signal.aborted) throw error
      return failed('mesh-key-differs', messageOf(error))
    } finally {
      client.close()
    }
  },
}

export const mesh: Step = {
  id: 'mesh',
  title: 'Mesh',
  layer: 'mesh',
  after: ['login'],
  silence: 'mesh-missing',
  hasOwnLimits: true,
  async run(examination, signal) {
    const { target, others } = examination
    if (target.regionId === undefined) return skipped('needs a map with the other relays of the region')
    const relays = others.filter(({ isStunOnly }) => !isStunOnly)
    if (relays.length === 0) return skipped('there is no other relay in the region')
    const pairs = []
    for (const other of relays) pairs.push(await tryPair(examination, other, signal))
    return judge(pairs)
  },
}

interface Pair {
  readonly name: string
  readonly there: Delivery
  readonly back: Delivery
}

async function tryPair(examination: Examination, other: RelayTarget, signal: AbortSignal): Promise<Pair> {
  const { name } = other
  const from = reachable(examination)
  try {
    const to = await withinLimit(examination, stop => reach(other, examination, stop), signal)
    const limited = (way: { from: typeof from; to: typeof to }) =>
      withinLimit(examination, stop => deliver(examination, way, stop), signal).catch(asUnusable)
    return { name, there: await limited({ from, to }), back: await limited({ from: to, to: from }) }
  } catch (error) {
    if (signal.aborted) throw error
    const unusable = { outcome: 'unusable', reason: messageOf(error) } as const
    return { name, there: unusable, back: unusable }
  }
}

function asUnusable(error: unknown): Delivery {
  if (error instanceof StepTimeoutError) return { outcome: 'unusable', reason: error.message }
  throw error
}

function judge(pairs: readonly Pair[]): Verdict {
  const lost = pairs.find(({ there, back }) => there.outcome === 'lost' || back.outcome === 'lost')
  if (lost !== undefined) {
    const { name, there, back } = lost
    if (there.outcome === 'lost' && back.outcome === 'lost')
      return failed('mesh-missing', `no packet to or from ${name} arrives`)
    return failed('mesh-one-way', `no packet ${there.outcome === 'lost' ? 'to' : 'from'} ${name} arrives`)
  }
  const usable = pairs.filter(({ there }) => there.outcome !== 'unusable')
  const [unusable] = pairs.flatMap(({ name, there }) =>
    there.outcome === 'unusable' ? [`${name}: ${there.reason}`] : [],
  )
  if (usable.length === 0) return skipped(`no other relay of the region can be used: ${unusable}`)
  const ways = usable.map(({ name, there }) =>
    there.outcome === 'delivered' ? `${name} ${there.ms.toFixed(1)} ms` : name,
  )
  return passed(ways.join(', '))
}
