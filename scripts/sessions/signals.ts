/** Sessions of docs/operate/signals.md. */

import type { Session } from './sessions.ts'
import type { StagedRelay } from './stage.ts'

/** Sends SIGHUP and waits for its line, the `count`th. */
async function reload(relay: StagedRelay, count: number): Promise<void> {
  relay.program.child.kill('SIGHUP')
  await relay.logged(/configuration (?:reloaded|kept)/, count)
}

export const SIGNAL_SESSIONS: Readonly<Record<string, Session>> = {
  reload: async stage => {
    const keys = await stage.file('allowed-keys', '')
    const configure = (more: object) =>
      stage.file('derper.json', JSON.stringify({ 'allow-keys-file': keys, 'max-clients': 1_000, ...more }))
    const relay = await stage.relay({ flags: ['-config', await configure({})] })
    const slower = { 'drain-time': '30s', 'drain-deadline': '40s' }
    await configure(slower)
    await reload(relay, 1)
    await configure({ ...slower, 'max-clients': 2_000 })
    await reload(relay, 2)
    await configure({ 'drain-tyme': '30s' })
    await reload(relay, 3)
    const lines = ["$ journalctl -u derper -o cat -g 'configuration'", ...relay.lines(/configuration/)]
    return stage.shown(lines.join('\n'), ['10:00:00.120', '10:05:00.118', '10:10:00.121'])
  },

  drain: async stage => {
    const relay = await stage.relay({ flags: ['-drain-time', '1s'] })
    const [first, second] = [await stage.connected(relay), await stage.connected(relay)]
    for (let packet = 0; packet < 12; packet++) await first.send(second.selfPublicKey(), new Uint8Array(100))
    await first.ping()
    relay.program.child.kill('SIGTERM')
    await relay.program.exit()
    await first.close()
    await second.close()
    const lines = ["$ journalctl -u derper -o cat -g 'drain'", ...relay.lines(/drain/)]
    return stage.shown(
      lines.join('\n'),
      ['11:00:00.000', '11:00:05.003'],
      [
        ['spreadMs=1000 deadlineMs=4000', 'spreadMs=5000 deadlineMs=8000'],
        [/tookMs=\d+/g, 'tookMs=5003'],
      ],
    )
  },
}
