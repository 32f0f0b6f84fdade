/** Differences between runtimes: the table of docs/operate/runtimes.md, row by row. */

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ConnectionOptions, connect } from 'node:tls'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { startProgram } from '../support/process.ts'
import { type RunningTlsRelay, startOurTlsRelay } from '../support/relays.ts'
import { RUNTIME_NAME, RUNTIME_PATH } from '../support/runtime.ts'

const DERPER = commandPath('derper')
const AES_256 = 'TLS_AES_256_GCM_SHA384'
const AES_128 = 'TLS_AES_128_GCM_SHA256'
const CHACHA = 'TLS_CHACHA20_POLY1305_SHA256'

let relay: RunningTlsRelay
let target: Target
beforeAll(async () => {
  relay = await startOurTlsRelay()
  target = new Target({ url: relay.url, ca: relay.ca, carriage: 'raw', like: 'ours', debug: true })
})
afterAll(() => relay.stop())

/** The cipher negotiated with a Node client, or its error code. */
async function agreed(options: ConnectionOptions): Promise<string | undefined> {
  const socket = connect({ port: relay.port, host: '127.0.0.1', servername: 'localhost', ca: relay.ca, ...options })
  try {
    await once(socket, 'secureConnect')
    return socket.getCipher().standardName
  } catch (error) {
    return (error as NodeJS.ErrnoException).code
  } finally {
    socket.destroy()
  }
}

/** The expectation for the current runtime. */
const here = <T>(expected: { readonly node: T; readonly bun: T }): T => expected[RUNTIME_NAME]

test.each([
  ['that likes AES-256 best', [AES_256, AES_128, CHACHA], here({ node: AES_128, bun: AES_256 })],
  ['that likes ChaCha20 best', [CHACHA, AES_128, AES_256], CHACHA],
  ['that has AES-256 alone', [AES_256], AES_256],
])('TLS 1.3 with a client %s (P-142)', async (_, offered, expected) => {
  expect(await agreed({ ciphers: offered.join(':') })).toBe(expected)
})

test('a client that requests another name gets an alert (P-141)', async () => {
  const expected = here({
    node: 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
    bun: 'ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR',
  })
  expect(await agreed({ servername: 'other.test' })).toBe(expected)
})

test('a client with only the curve P-521 (P-142)', async () => {
  const expected = here({ node: AES_128, bun: 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE' })
  expect(await agreed({ ecdhCurve: 'secp521r1', ciphers: AES_128 })).toBe(expected)
})

test('/debug/pprof/heap (P-199)', async () => {
  const { status } = await target.http('/debug/pprof/heap?seconds=1')
  expect(status).toBe(here({ node: 200, bun: 501 }))
  expect((await target.http('/debug/pprof/profile?seconds=1')).status).toBe(200)
})

test('a file .env in the working directory', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'derper-env-'))
  writeFileSync(join(cwd, '.env'), 'DERPER_LOG_LEVEL=nonsense\n')
  const program = await startProgram(RUNTIME_PATH, [DERPER, 'check-config', '-dev'], { cwd })
  expect(await program.exit()).toBe(here({ node: 0, bun: 2 }))
  rmSync(cwd, { recursive: true })
})
