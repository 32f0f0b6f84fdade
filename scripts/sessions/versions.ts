/** Sessions of pages about versions, runtimes and privacy. */

import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { runtimeProblem } from '../../src/lib/runtime-version.ts'
import type { Session } from './sessions.ts'

const VERSION = '$ derper -version'

export const VERSION_SESSIONS: Readonly<Record<string, Session>> = {
  version: async stage => {
    const program = await stage.derper(['-version'])
    await program.exit()
    return stage.shown(`${VERSION}\n${program.stdout.trimEnd()}`)
  },

  'old-node': async () => `${VERSION}\nderper: ${runtimeProblem({ node: '20.19.5' })}\n[exit code 2]`,

  privacy: async stage => {
    const allowed = await stage.file('allowed-keys', `${NodePrivateKey.generate().publicKey()}\n`)
    const relay = await stage.relay({ flags: ['-allow-keys-file', allowed, '-log-level', 'debug'] })
    const client = stage.client(relay)
    await client.recv().catch(() => {})
    await relay.logged(/whole key of the client denied/)
    await client.close()
    const lines = ["$ journalctl -u derper -o cat -g 'client denied'", ...relay.lines(/client denied/)]
    return stage.shown(lines.join('\n'), ['09:41:07.311'], [['remote=127.0.0.1', 'remote=198.51.100.20']])
  },
}
