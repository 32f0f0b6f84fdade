/** Sessions of docs/operate/logs.md. */

import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { Session } from './sessions.ts'
import type { Stage, StagedRelay } from './stage.ts'

/** A relay that admits one key, after another has tried. */
async function withDenial(stage: Stage, format: 'json' | 'text', flags: readonly string[] = []): Promise<StagedRelay> {
  const allowed = await stage.file('allowed-keys', `${NodePrivateKey.generate().publicKey()}\n`)
  const relay = await stage.relay({ format, flags: ['-allow-keys-file', allowed, ...flags] })
  const client = stage.client(relay)
  await client.recv().catch(() => {})
  await relay.logged(/client denied/)
  await client.close()
  return relay
}

const CLIENT = [[/(remote=|"remote":")127\.0\.0\.1/g, '$1198.51.100.20']] as const

export const LOG_SESSIONS: Readonly<Record<string, Session>> = {
  'log-json': async stage => {
    const relay = await withDenial(stage, 'json')
    const lines = ["$ journalctl -u derper -o cat -g 'serving|client denied'", ...relay.lines(/serving|client denied/)]
    return stage.shown(lines.join('\n'), ['09:00:00.000', '09:41:07.311'], CLIENT)
  },

  'log-text': async stage => {
    const relay = await withDenial(stage, 'text')
    relay.program.child.kill('SIGHUP')
    await relay.logged(/configuration reloaded/)
    relay.program.child.kill('SIGTERM')
    await relay.program.exit()
    const pattern = 'serving|denied|reloaded|drain'
    const lines = [`$ journalctl -u derper -o cat -g '${pattern}'`, ...relay.lines(new RegExp(pattern))]
    const times = ['09:00:00.000', '09:41:07.311', '10:12:30.500', '11:00:00.000', '11:00:00.012']
    return stage.shown(lines.join('\n'), times, [...CLIENT, [/tookMs=\d+/g, 'tookMs=12']])
  },
}
