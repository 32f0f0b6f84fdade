/** Sessions of pages for operators that need but one. */

import { createSocket } from 'node:dgram'
import { setTimeout as delay } from 'node:timers/promises'
import { stunBinding } from '../../src/entries/stun.ts'
import { CRASH_HOOK } from '../../test/support/crash-hook.ts'
import { freePort } from '../../test/support/relays.ts'
import type { Session } from './sessions.ts'
import type { StagedRelay } from './stage.ts'

const TOKEN = 'c'.repeat(32)

/** The samples of metrics that begin so, once `isDone`. */
async function samples(relay: StagedRelay, begin: string, isDone: (text: string) => boolean): Promise<string> {
  for (;;) {
    const lines = (await relay.curl('/metrics')).split('\n').filter(line => line.startsWith(begin))
    if (isDone(lines.join('\n'))) return lines.join('\n')
    await delay(20)
  }
}

export const OPERATION_SESSIONS: Readonly<Record<string, Session>> = {
  workers: async stage => {
    const relay = await stage.relay({ flags: ['-workers', '2'], env: CRASH_HOOK })
    relay.program.child.kill('SIGUSR2')
    await relay.logged(/worker crashed/)
    const lines = [
      "$ journalctl -u derper -o cat -g 'worker crashed'",
      ...relay.lines(/worker crashed/),
      "$ curl -s http://127.0.0.1:9340/metrics | grep '^derphttp_worker'",
      await samples(relay, 'derphttp_worker', text => text.includes('derphttp_workers 2')),
    ]
    return stage.shown(
      lines.join('\n'),
      [],
      [
        ['crashed by a test', 'Cannot read properties of undefined'],
        [/ranMs=\d+/g, 'ranMs=93605412'],
      ],
    )
  },

  'status-page': async stage => {
    const relay = await stage.relay({ flags: ['-status-token-file', await stage.file('status-token', TOKEN)] })
    const [first, second] = [await stage.connected(relay), await stage.connected(relay)]
    for (let packet = 0; packet < 12; packet++) await first.send(second.selfPublicKey(), new Uint8Array(1_000))
    await first.ping()
    const query = '/debug/status/clients?sort=received&limit=1'
    const [, clients] = await stage.https(relay, query, { Authorization: `Bearer ${TOKEN}` })
    const [status] = await stage.https(relay, query, { Authorization: 'Bearer x', 'X-Forwarded-For': '192.0.2.1' })
    for (const client of [first, second]) await client.close()
    const lines = [
      `$ curl -s -H "Authorization: Bearer $(cat status-token)" 'https://relay.example${query}'`,
      clients,
      `$ curl -s -o /dev/null -w '%{http_code}\\n' -H 'Authorization: Bearer wrong' 'https://relay.example${query}'`,
      `${status}`,
    ]
    return stage.shown(
      lines.join('\n'),
      [],
      [
        [/127\.0\.0\.1:\d+/g, '198.51.100.20:41641'],
        [/"ageSeconds":\d+/g, '"ageSeconds":4325'],
        [/"rate":\d+/g, '"rate":12000'],
      ],
    )
  },

  stun: async stage => {
    const port = await freePort()
    const relay = await stage.relay({ flags: ['-stun-port', `${port}`] })
    await stunBinding({ host: '127.0.0.1', port })
    const socket = createSocket('udp4')
    socket.send('hello', port, '127.0.0.1', () => socket.close())
    const begin = 'stun_requests'
    return [
      `$ curl -s http://127.0.0.1:9340/metrics | grep '^${begin}'`,
      await samples(relay, begin, text => text.includes('disposition="not_stun"} 1')),
    ].join('\n')
  },
}
