/** The status page of the command, on one thread and on several (P-175). */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Client } from '../../src/entries/client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { ClientRows } from '../../src/web/status/status-report.ts'
import { commandPath } from '../support/commands.ts'
import { startProgram } from '../support/process.ts'
import { nextMessage } from '../support/relay.ts'
import { type RunningRelay, startOurRelay } from '../support/relays.ts'
import { RUNTIME_PATH } from '../support/runtime.ts'

const DERPER = commandPath('derper')
const TOKEN = 'status-token-0123456789'
/** A request that a proxy has handed on has no access by its address. */
const STRANGER = { 'X-Forwarded-For': '192.0.2.1' }

let directory: string
let tokenFile: string
const relays: RunningRelay[] = []
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'derper-status-'))
  tokenFile = join(directory, 'token')
})
afterEach(() => Promise.all(relays.splice(0).map(({ program }) => program.stop('SIGKILL'))))
afterAll(() => rmSync(directory, { recursive: true }))

async function start(...flags: string[]): Promise<string> {
  const relay = await startOurRelay(flags)
  relays.push(relay)
  return `http://127.0.0.1:${relay.port}`
}

const statusOf = async (url: string, headers: Record<string, string>) => (await fetch(url, { headers })).status

test('derper -status-token-file opens the status page to bearers, and follows its file', async () => {
  writeFileSync(tokenFile, `${TOKEN}\n`)
  const origin = await start('-status-token-file', tokenFile)
  const bearer = (token: string) => ({ ...STRANGER, Authorization: `Bearer ${token}` })
  expect(await (await fetch(`${origin}/debug/`)).text()).toContain('href="/debug/status"')
  expect(await statusOf(`${origin}/debug/status`, STRANGER)).toBe(401)
  expect(await statusOf(`${origin}/debug/status`, bearer(TOKEN))).toBe(200)
  expect(await statusOf(`${origin}/debug/varz`, bearer(TOKEN))).toBe(403)
  writeFileSync(tokenFile, 'another-token-0123456789\n')
  await expect.poll(() => statusOf(`${origin}/debug/status`, bearer('another-token-0123456789'))).toBe(200)
  expect(await statusOf(`${origin}/debug/status`, bearer(TOKEN))).toBe(401)
  writeFileSync(tokenFile, '')
  await expect.poll(() => statusOf(`${origin}/debug/status`, bearer(''))).toBe(403)
})

test.each([
  ['short', 'its token has 5 characters, needs 16 or more'],
  [undefined, 'no such file'],
])('derper refuses a -status-token-file that cannot be used (%s)', async (content, reason) => {
  const path = join(directory, `bad-${content}`)
  if (content !== undefined) writeFileSync(path, content)
  const program = await startProgram(RUNTIME_PATH, [DERPER, '-dev', '-status-token-file', path])
  expect(await program.exit()).toBe(2)
  expect(program.stderr).toContain(`set flag -status-token-file to "${path}"`)
  expect(program.stderr).toContain(reason)
})

test('the status page of a relay on several threads shows all of their clients, each once', async () => {
  const origin = await start('-workers', '2', '-ping-clients', '100ms')
  const clients = await Promise.all(
    Array.from({ length: 6 }, async (_, at) => {
      const options = { appName: `app ${at}`, autoPong: true }
      const client = new Client(NodePrivateKey.generate(), `${origin}/derp`, options)
      await nextMessage(client, 'serverInfo')
      await nextMessage(client, 'ping')
      return client
    }),
  )
  const rows = async () => (await (await fetch(`${origin}/debug/status/clients`)).json()) as ClientRows
  await expect.poll(async () => (await rows()).rows.filter(({ rtt }) => rtt !== null)).toHaveLength(6)
  const shown = (await rows()).rows
  expect(shown.map(({ app }) => app).toSorted()).toEqual(clients.map((_, at) => `app ${at}`))
  expect(new Set(shown.map(({ connNum }) => connNum)).size).toBe(6)
  const html = await (await fetch(`${origin}/debug/status`)).text()
  expect(html).toContain('6 clients connected')
  expect(html).toMatch(/data-metric="derphttp_workers">2</)
  await Promise.all(clients.map(client => client.close()))
})
