/** Metrics and health of the command, and access to them. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { commandPath } from '../support/commands.ts'
import { startProgram } from '../support/process.ts'
import { request } from '../support/raw-http.ts'
import { freePort, type RunningRelay, startOurRelay } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'
import { portOf, served } from '../support/served.ts'

const DERPER = commandPath('derper')
const TOKEN = 'metrics-token-0123456789'

let directory: string
const relays: RunningRelay[] = []
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'derper-metrics-'))
})
afterEach(() => Promise.all(relays.splice(0).map(({ program }) => program.stop('SIGKILL'))))
afterAll(() => rmSync(directory, { recursive: true }))

/** A relay with a listener for metrics. */
async function start(flags: readonly string[], env: Record<string, string> = {}) {
  const relay = await startOurRelay(['-metrics-addr', '127.0.0.1:0', ...flags], env)
  relays.push(relay)
  const port = portOf((await served(relay.program)).metrics)
  const ask = async (path: string, token?: string) => {
    const headers = token === undefined ? [] : [`Authorization: Bearer ${token}`]
    const { status, body } = await request(port, `GET ${path}`, headers)
    return { status, body: body.toString() }
  }
  return { relay, ask }
}

async function refused(...flags: string[]): Promise<string> {
  const program = await startProgram(RUNTIME_PATH, [DERPER, '-dev', ...flags])
  expect(await program.exit()).toBe(2)
  expect(program.stderr.trimEnd().split('\n')).toHaveLength(1)
  return program.stderr
}

test('derper -metrics-addr serves metrics and health separately, until the end of the shutdown (P-172, P-174)', async () => {
  const { relay, ask } = await start(['-drain-delay', '1h', '-drain-deadline', '0'])
  expect((await ask('/metrics')).body).toContain('derphttp_ready 1\n')
  expect(JSON.parse((await ask('/debug/vars')).body)).toMatchObject({ derp: { gauge_current_connections: 0 } })
  expect(await ask('/healthz')).toEqual({ status: 200, body: 'ok\n' })
  expect((await ask('/debug/')).status).toBe(404)
  relay.program.child.kill('SIGTERM')
  await relay.program.stderrMatch(/"msg":"drain begins"/)
  expect(await ask('/readyz')).toEqual({ status: 503, body: 'not ready\ndraining: the relay is shutting down\n' })
  expect((await ask('/metrics')).body).toContain('derphttp_not_ready{check="draining"} 1\n')
})

test('derper health asks a running derper, and exits with 1 if none answers', async () => {
  const port = await freePort()
  const ask = async (...flags: string[]) => {
    const program = await startProgram(RUNTIME_PATH, [DERPER, 'health', '-dev', ...flags])
    const code = await program.exit()
    return { code, text: program.stdout + program.stderr }
  }
  const flags = ['-metrics-addr', `127.0.0.1:${port}`]
  const none = await ask(...flags)
  expect(none.code).toBe(1)
  expect(none.text).toContain(`unhealthy: http://127.0.0.1:${port}/healthz: `)
  const relay = await startOurRelay(flags)
  relays.push(relay)
  await served(relay.program)
  expect(await ask(...flags)).toEqual({ code: 0, text: 'ok\n' })
  expect((await ask()).text).toContain('ask for health: needs -metrics-addr with a port')
})

test('derper -metrics-token and -metrics-allow control access to the metrics, and the token is never shown (P-173)', async () => {
  const file = join(directory, 'token')
  writeFileSync(file, `${TOKEN}\n`)
  const byToken = await start([], { DERPER_METRICS_TOKEN_FILE: file })
  expect((await byToken.ask('/metrics')).status).toBe(401)
  expect((await byToken.ask('/metrics', TOKEN)).status).toBe(200)
  const byFlag = await start(['-metrics-token', TOKEN, '-metrics-allow', '10.0.0.0/8'])
  expect((await byFlag.ask('/metrics')).status).toBe(401)
  expect((await byFlag.ask('/debug/vars', TOKEN)).body).not.toContain(TOKEN)
  expect((await byFlag.ask('/debug/vars', TOKEN)).body).toContain('"-metrics-token","…"')
  const byAddress = await start(['-metrics-allow', '10.0.0.0/8, 127.0.0.1'])
  expect((await byAddress.ask('/metrics')).status).toBe(200)
  for (const { relay } of [byToken, byFlag, byAddress]) expect(relay.program.stderr).not.toContain(TOKEN)
})

test('derper refuses a metrics listener open to everyone, and invalid settings of it', async () => {
  for (const address of [':0', '0.0.0.0:0', '[::]:0', '192.0.2.1:0']) {
    expect(await refused('-metrics-addr', address)).toContain(
      `set flag -metrics-addr to "${address}": others can reach it; set -metrics-token or -metrics-allow`,
    )
  }
  expect(await refused('-metrics-addr', '9340')).toContain('set flag -metrics-addr to "9340": not in the form')
  expect(await refused('-metrics-allow', '10.0.0.0/33')).toContain('set flag -metrics-allow to "10.0.0.0/33"')
  const short = await refused('-metrics-token', 'geheim')
  expect(short).toContain('set flag -metrics-token to "…": has 6 characters, needs 16 or more')
  expect(short).not.toContain('geheim')
})

test('derper grants access to the debug pages with the key in the file TS_DEBUG_KEY_PATH, which may change (P-190)', async () => {
  const file = join(directory, 'debug.key')
  writeFileSync(file, 'first-key\n')
  const { relay } = await start([], { TS_DEBUG_KEY_PATH: file })
  // Forwarded requests get no access by address.
  const status = async (query: string) =>
    (await request(relay.port, `GET /debug/varz${query}`, ['X-Forwarded-For: 192.0.2.1'])).status
  expect([await status(''), await status('?debugkey=wrong'), await status('?debugkey=first-key')]).toEqual([
    403, 403, 200,
  ])
  const becomes = (query: string, wanted: number) => expect.poll(() => status(query), { timeout: 15_000 }).toBe(wanted)
  writeFileSync(file, 'second-key\n')
  await becomes('?debugkey=second-key', 200)
  expect(await status('?debugkey=first-key')).toBe(403)
  rmSync(file)
  await becomes('?debugkey=second-key', 403)
  expect(await status('?debugkey=')).toBe(403)
})
