/** Exact effect of connections on the metrics. */

import { setTimeout as delay } from 'node:timers/promises'
import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { encodeFrame } from '../../../src/protocol/encode.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import { payload } from '../../support/payload.ts'
import type { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase } from '../case.ts'
import { equal, expectClosed } from '../check.ts'
import { goneBy, moves } from '../counters.ts'
import { depart } from '../presence.ts'
import type { Target } from '../target.ts'

const nothing = async (): Promise<void> => {}

const one = (target: Target): Promise<RawClient> => target.login()
const pair = async (target: Target): Promise<[RawClient, RawClient]> => [await target.login(), await target.login()]

/** Connections of one key, and that key. */
async function duplicates(target: Target, count: number): Promise<{ privateKey: NodePrivateKey; all: RawClient[] }> {
  const privateKey = NodePrivateKey.generate()
  const all: RawClient[] = []
  while (all.length < count) all.push(await target.login({ privateKey }))
  return { privateKey, all }
}

const connections: ConformanceCase[] = [
  moves('a-connection-without-login', { accepts: 1 }, nothing, async (_, target) => {
    await (await target.connect()).greeting()
  }),
  moves('failed-logins', { accepts: 3 }, nothing, async (_, target) => {
    for (let n = 0; n < 3; n++) {
      const client = await target.connect()
      await client.greeting()
      client.sendBytes(encodeFrame(FrameType.ClientInfo, new Uint8Array(100).fill(n + 1)))
      await expectClosed(client)
    }
  }),
  moves(
    'logins',
    { accepts: 3, gauge_clients_local: 3, gauge_clients_total: 3, gauge_current_connections: 3 },
    nothing,
    async (_, target) => {
      for (let n = 0; n < 3; n++) await target.login()
    },
  ),
  moves(
    'departures',
    { gauge_clients_local: -2, gauge_clients_total: -2, gauge_current_connections: -2 },
    pair,
    async clients => {
      for (const client of clients) await depart(client)
    },
  ),
  moves('login-and-departure', { accepts: 1 }, nothing, async (_, target) => depart(await target.login())),
  moves('hostile-connections-leave-no-trace', { accepts: 20 }, nothing, async (_, target) => {
    for (let n = 0; n < 20; n++) {
      const client = await target.connect()
      client.sendBytes(payload(n * 50, n + 1))
      await client.flushed()
      client.close()
    }
  }),
]

const homes: ConformanceCase[] = [
  moves('home', { gauge_current_home_connections: 1 }, one, async client => {
    client.send({ type: 'notePreferred', preferred: true })
    client.send({ type: 'notePreferred', preferred: true })
  }),
  moves('home-and-not', {}, one, async client => {
    client.send({ type: 'notePreferred', preferred: true })
    client.send({ type: 'notePreferred', preferred: false })
    client.send({ type: 'notePreferred', preferred: false })
    await client.flushed()
    await delay(50)
  }),
  moves(
    'home-that-leaves',
    {
      gauge_clients_local: -1,
      gauge_clients_total: -1,
      gauge_current_connections: -1,
      gauge_current_home_connections: -1,
    },
    async target => {
      const client = await target.login()
      client.send({ type: 'notePreferred', preferred: true })
      await client.sync()
      return client
    },
    depart,
  ),
  {
    ...moves(
      'home-moves-after-five-seconds',
      { home_moves_in: 2, home_moves_out: 1, gauge_current_home_connections: 1 },
      async target => {
        const client = await target.login()
        await delay(5_200)
        return client
      },
      async client => {
        for (const preferred of [true, false, true]) client.send({ type: 'notePreferred', preferred })
      },
    ),
    slow: true,
  },
  moves(
    'not-ideal',
    {
      accepts: 1,
      gauge_clients_local: 1,
      gauge_clients_total: 1,
      gauge_current_connections: 1,
      gauge_current_notideal_connections: 1,
    },
    nothing,
    async (_, target) => void (await target.login({ headers: { 'Ideal-Node': 'derp1a' } })),
    ['raw'],
  ),
  moves(
    'not-ideal-that-leaves',
    { ...goneBy(1), gauge_current_notideal_connections: -1 },
    target => target.login({ headers: { 'Ideal-Node': 'derp1a' } }),
    depart,
    ['raw'],
  ),
]

const sharing: ConformanceCase[] = [
  moves(
    'second-connection-of-a-key',
    {
      accepts: 1,
      counter_total_dup_client_conns: 1,
      gauge_current_connections: 1,
      gauge_current_dup_client_conns: 2,
      gauge_current_dup_client_keys: 1,
    },
    target => duplicates(target, 1),
    async ({ privateKey }, target) => void (await target.login({ privateKey })),
  ),
  moves(
    'third-connection-of-a-key',
    {
      accepts: 1,
      counter_total_dup_client_conns: 1,
      gauge_current_connections: 1,
      gauge_current_dup_client_conns: 1,
    },
    target => duplicates(target, 2),
    async ({ privateKey }, target) => void (await target.login({ privateKey })),
  ),
  moves(
    'one-of-three-leaves',
    { gauge_current_connections: -1, gauge_current_dup_client_conns: -1 },
    target => duplicates(target, 3),
    ({ all }) => depart(all[1] as RawClient),
  ),
  moves(
    'one-of-two-leaves',
    { gauge_current_connections: -1, gauge_current_dup_client_conns: -2, gauge_current_dup_client_keys: -1 },
    target => duplicates(target, 2),
    ({ all }) => depart(all[0] as RawClient),
  ),
]

export const metricsCases: readonly ConformanceCase[] = [
  ...connections,
  ...homes,
  ...sharing,
  {
    id: 'metrics/all-drop-counters-exist-from-the-start',
    clauses: ['P-102', 'P-195'],
    needs: ['debug'],
    async run(target) {
      const { body } = await target.http('/debug/varz')
      for (const unit of ['packets', 'bytes']) {
        equal(body.match(new RegExp(`^derp_${unit}_dropped\\{`, 'gm'))?.length, 14, unit)
      }
      const vars = await target.vars()
      equal(vars['derp_packets_dropped'], 'MultiLabelMap')
      equal(vars['derp_bytes_dropped'], 'MultiLabelMap')
    },
  },
  {
    id: 'metrics/consistency-check',
    clauses: ['P-197'],
    needs: ['debug'],
    async run(target) {
      for (let n = 0; n < 3; n++) await target.login()
      const { status, body } = await target.http('/debug/check')
      equal(status, 200, body)
      equal(body.trim(), 'derp.Server ConsistencyCheck okay')
    },
  },
]
