/** SIGHUP: what is reloaded and logged. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/entries/derphttp.ts'
import { Target } from '../conformance/target.ts'
import { type RunningRelay, startOurRelay } from '../support/relays.ts'

let directory: string
let relay: RunningRelay | undefined
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'derper-reload-'))
})
afterEach(async () => {
  await relay?.program.stop('SIGKILL')
  rmSync(directory, { recursive: true })
})

const at = (name: string) => join(directory, name)
const configure = (settings: object) => writeFileSync(at('derper.json'), JSON.stringify(settings))

async function start(...flags: string[]): Promise<RunningRelay> {
  relay = await startOurRelay(['-config', at('derper.json'), ...flags])
  return relay
}

/** Sends SIGHUP; resolves to the resulting log lines, without times. */
async function hup({ program }: RunningRelay): Promise<Record<string, unknown>[]> {
  const before = program.stderr.length
  program.child.kill('SIGHUP')
  await expect.poll(() => /configuration (?:reloaded|kept).*\n/.test(program.stderr.slice(before))).toBe(true)
  const text = program.stderr.slice(before)
  const lines = text.slice(0, text.lastIndexOf('\n')).split('\n')
  return lines.map(line => {
    const { time: _, ...fields } = JSON.parse(line) as Record<string, unknown>
    return fields
  })
}

async function isLetIn({ url }: RunningRelay, privateKey: NodePrivateKey): Promise<boolean> {
  const target = new Target({ url, carriage: 'raw', like: 'ours' })
  const done = target.login({ privateKey }).then(
    () => true,
    () => false,
  )
  return done.finally(() => target.closeAll())
}

test('SIGHUP without -config says that flags and variables change at a restart only', async () => {
  const relay = await startOurRelay()
  relay.program.child.kill('SIGHUP')
  const [line] = await relay.program.stderrMatch(/^\{.*"msg":"configuration reloaded"\}$/m)
  expect(JSON.parse(line)).toMatchObject({
    level: 'info',
    changed: [],
    hint: 'without -config, flags and variables change at a restart only',
  })
  await relay.stop()
})

test('SIGHUP reloads live settings from the configuration file, and lists those that need a restart', async () => {
  const [listed, other] = [NodePrivateKey.generate(), NodePrivateKey.generate()]
  writeFileSync(at('allow'), `${listed.publicKey()}\n`)
  configure({ 'log-level': 'info', home: 'blank' })
  const running = await start()
  expect(await isLetIn(running, other)).toBe(true)
  expect(await hup(running)).toEqual([{ level: 'info', changed: [], needRestart: [], msg: 'configuration reloaded' }])
  configure({ 'log-level': 'debug', home: '', 'allow-keys-file': at('allow'), 'drain-time': '1s' })
  expect((await hup(running)).at(0)).toEqual({
    level: 'warn',
    changed: ['allow-keys-file', 'log-level', 'drain-time'],
    needRestart: ['home'],
    msg: 'configuration reloaded',
  })
  expect([await isLetIn(running, listed), await isLetIn(running, other)]).toEqual([true, false])
  await running.program.stderrMatch(/"level":"debug"/)
  configure({})
  await hup(running)
  expect(await isLetIn(running, other)).toBe(true)
  running.program.child.kill('SIGTERM')
  const [drain] = await running.program.stderrMatch(/^.*"msg":"drain begins".*$/m)
  // In development mode it is 0 unless set.
  expect(JSON.parse(drain)).toMatchObject({ spreadMs: 0 })
})

test('SIGHUP with an invalid configuration logs the reason, and changes nothing', async () => {
  configure({ 'log-level': 'info' })
  const running = await start()
  const kept = { level: 'error', msg: 'configuration kept: the new one is invalid' }
  const bad: readonly (readonly [object, string])[] = [
    [{ bogus: 1 }, 'key "bogus" is not a flag'],
    [{ 'log-level': 'loud' }, 'set flag -log-level to "loud"'],
    [{ 'log-level': 'debug', 'allow-keys-file': at('none') }, 'set flag -allow-keys-file'],
    [{ 'log-level': 'debug', 'rate-config': at('none') }, 'set flag -rate-config'],
    [{ 'log-level': 'debug', 'drain-deadline': '1ms', 'drain-time': '1s' }, 'set flag -drain-deadline'],
  ]
  for (const [settings, reason] of bad) {
    configure(settings)
    expect(await hup(running)).toEqual([{ ...kept, reason: expect.stringContaining(reason) }])
  }
  writeFileSync(at('derper.json'), '{')
  expect(await hup(running)).toMatchObject([kept])
  expect(await isLetIn(running, NodePrivateKey.generate())).toBe(true)
})

test('SIGHUP reloads the rate config, and an invalid one changes nothing (P-103)', async () => {
  const target = async () => {
    const vars = await new Target({ url: (relay as RunningRelay).url, carriage: 'raw', like: 'ours' }).vars()
    return (vars['derp'] as Record<string, unknown>)['rate_limit_per_client_bytes_per_second']
  }
  const limit = (bytes: unknown) => writeFileSync(at('rate'), JSON.stringify({ PerClientRateLimitBytesPerSec: bytes }))
  limit(100_000)
  configure({})
  const running = await start('-rate-config', at('rate'))
  expect(await target()).toBe(100_000)
  limit(200_000)
  expect((await hup(running)).map(({ msg }) => msg)).toContain('configuration reloaded')
  await running.program.stderrMatch(/"msg":"rate config applied"/)
  expect(await target()).toBe(200_000)
  limit('much')
  await hup(running)
  await running.program.stderrMatch(/"msg":"rate config kept: the new one is invalid"/)
  expect(await target()).toBe(200_000)
})

/** Logs in and stays; resolves to a check of the connection. */
async function stay({ url }: RunningRelay, token?: string) {
  const target = new Target({ url, carriage: 'raw', like: 'ours' })
  const headers = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } }
  return target.login({ privateKey: NodePrivateKey.generate(), ...headers })
}

test('SIGHUP with new admission rules disconnects clients that they deny, and no others (P-040)', async () => {
  const [kept, lost] = ['kept-token-0123456789', 'lost-token-0123456789']
  writeFileSync(at('tokens'), `kept ${kept}\nlost ${lost}\n`)
  configure({})
  const running = await start()
  const [keeper, loser, stranger] = [await stay(running, kept), await stay(running, lost), await stay(running)]
  configure({ 'tokens-file': at('tokens') })
  await hup(running)
  await stranger.closed()
  const judged = async (asked: number) => {
    const [line] = await running.program.stderrMatch(new RegExp(`^.*"asked":${asked}.*clients re-checked.*$`, 'm'))
    return JSON.parse(line) as object
  }
  expect(await judged(3)).toMatchObject({ asked: 3, ended: 1 })
  writeFileSync(at('tokens'), `kept ${kept}\n`)
  await hup(running)
  await loser.closed()
  expect(await judged(2)).toMatchObject({ asked: 2, ended: 1 })
  expect(keeper.isClosed).toBe(false)
})
