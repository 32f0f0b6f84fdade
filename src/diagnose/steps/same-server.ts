/** Whether several connections reach the same relay; a load balancer may separate clients otherwise. */

import { DerpClient } from '../../client/derp-client.ts'
import type { NodePublicKey } from '../../keys/public-key.ts'
import { openDerp, reachable } from '../connect.ts'
import { deliver } from '../delivery.ts'
import type { Examination, Step } from '../step.ts'
import { failed, passed, type Verdict } from '../verdict.ts'

const CONNECTIONS = 5

export const sameServer: Step = {
  id: 'same-server',
  title: 'One relay behind the name',
  layer: 'mesh',
  after: ['login'],
  silence: 'closed-after-upgrade',
  // Connection rate limits affect a diagnosis before they affect clients.
  isOptional: () => true,
  async run(examination, signal) {
    const keys = new Map<string, NodePublicKey>()
    const opened = Array.from({ length: CONNECTIONS }, () => serverKeyOfOne(examination, signal))
    for (const key of await Promise.all(opened)) keys.set(key.toString(), key)
    if (keys.size === 1) return passed(`${CONNECTIONS} connections, one server key`)
    return judgeSeveral(examination, keys.size, signal)
  },
}

/** An admitted key, if there is one: the relay would log each other one as refused. */
async function serverKeyOfOne(examination: Examination, signal: AbortSignal): Promise<NodePublicKey> {
  const { platform, options } = examination
  const conn = await openDerp(reachable(examination), signal)
  const privateKey = options.privateKey ?? (await platform.generateKey())
  const login = { privateKey, agreement: platform.agreement, clock: platform.clock }
  const client = await DerpClient.login(conn, login, signal)
  client.close()
  return client.serverKey
}

/** Relays may share a name if they forward packets to each other. */
async function judgeSeveral(examination: Examination, count: number, signal: AbortSignal): Promise<Verdict> {
  const detail = `${CONNECTIONS} connections, ${count} server keys`
  const relay = reachable(examination)
  const delivery = await deliver(examination, { from: relay, to: relay, mustDiffer: true }, signal)
  if (delivery.outcome === 'delivered') return passed(`${detail}, meshed`)
  return failed('balancer-without-mesh', detail)
}
