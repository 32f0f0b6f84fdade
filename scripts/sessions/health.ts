/** Sessions of docs/operate/health.md. */

import { freePort } from '../../test/support/relays.ts'
import type { Session } from './sessions.ts'

/** Reasons are for visitors with access to debug pages; this one comes through a proxy, and has none. */
const STRANGER = { 'X-Forwarded-For': '192.0.2.1' }

export const HEALTH_SESSIONS: Readonly<Record<string, Session>> = {
  health: async stage => {
    const meshPeer = `relay2.example:${await freePort()}`
    const psk = await stage.file('mesh.key', 'a'.repeat(64))
    const relay = await stage.relay({
      flags: ['-mesh-psk-file', psk, '-mesh-with', `${meshPeer}/127.0.0.1`, '-drain-delay', '10s'],
    })
    await relay.logged(/mesh link is down/)
    const lines = [
      '$ curl -s http://127.0.0.1:9340/readyz',
      await relay.curl('/readyz'),
      '$ curl -s https://relay.example/readyz',
      await relay.curl('/readyz', STRANGER),
      "$ curl -s 'http://127.0.0.1:9340/readyz?format=json'",
      await relay.curl('/readyz?format=json'),
    ]
    relay.program.child.kill('SIGTERM')
    await relay.logged(/drain begins/)
    lines.push(
      '$ systemctl stop --no-block derper && curl -s http://127.0.0.1:9340/readyz',
      await relay.curl('/readyz'),
    )
    return stage.shown(lines.join('\n'), [], [[meshPeer, 'relay2.example']])
  },

  'health-command': async stage => {
    const relay = await stage.relay()
    const ask = async () => {
      const asked = await stage.derper(['health', '-metrics-addr', `127.0.0.1:${relay.metricsPort}`])
      const code = await asked.exit()
      return `${asked.stdout}${asked.stderr}`.trimEnd() + (code === 0 ? '' : `\n[exit code ${code}]`)
    }
    const shown = '$ derper health -metrics-addr 127.0.0.1:9340'
    const lines = [shown, await ask()]
    await relay.program.stop('SIGKILL')
    lines.push('$ systemctl kill --signal=KILL derper', shown, await ask())
    return stage.shown(
      lines.join('\n'),
      [],
      [
        // Node's words; Bun has others.
        [/(?:connect )?ECONNREFUSED[^)]*/g, 'connect ECONNREFUSED 127.0.0.1:9340'],
      ],
    )
  },
}
