/** Sessions of docs/operate/upgrades.md. */

import type { Session } from './sessions.ts'
import type { RelayOptions, Stage, StagedRelay } from './stage.ts'

/** An instance of a relay; a second one takes over from the first. */
function instance(stage: Stage, more: readonly string[], first?: StagedRelay): RelayOptions {
  const flags = ['-control-socket', stage.path('control.sock'), '-takeover', '-drain-time', '1s', ...more]
  return first === undefined ? { flags } : { flags, port: first.port, metricsPort: first.metricsPort }
}

export const UPGRADE_SESSIONS: Readonly<Record<string, Session>> = {
  takeover: async stage => {
    const blue = await stage.relay(instance(stage, []))
    const clients = [await stage.connected(blue), await stage.connected(blue)]
    const green = await stage.relay(instance(stage, [], blue))
    await blue.program.exit()
    for (const client of clients) await client.close()
    const lines = [
      "$ journalctl -u derper@green -o cat -g 'took over'",
      ...green.lines(/took over/),
      "$ journalctl -u derper@blue -o cat -g 'takes over|drain'",
      ...blue.lines(/takes over|drain/),
    ]
    const times = ['10:00:00.451', '10:00:00.448', '10:00:00.448', '10:00:05.960']
    return stage.shown(lines.join('\n'), times, [
      [/pid=\d+/g, 'pid=1021'],
      ['spreadMs=1000 deadlineMs=4000', 'spreadMs=5000 deadlineMs=8000'],
      [/tookMs=\d+/g, 'tookMs=5512'],
    ])
  },

  'takeover-fails': async stage => {
    const blue = await stage.relay(instance(stage, []))
    const url = ['-verify-client-url', 'http://127.0.0.1:9/', '-verify-client-url-fail-open=false']
    const green = await stage.started(instance(stage, [...url, '-takeover-timeout', '1s'], blue))
    const code = await green.program.exit()
    const lines = ['$ journalctl -u derper@green -o cat', ...green.lines(), `[exit code ${code}]`]
    return stage.shown(lines.join('\n'), ['10:00:00.006'], [[/127\.0\.0\.1:9\b/g, '127.0.0.1:8080']])
  },
}
