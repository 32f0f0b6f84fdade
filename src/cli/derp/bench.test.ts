import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ListeningRelay } from '../../../test/support/listening-relay.ts'
import { testIo } from '../../../test/support/test-io.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import type { BenchReport } from './bench/bench-report.ts'
import { main } from './derp.ts'

const directory = mkdtempSync(join(tmpdir(), 'derp-bench-'))
let relay: ListeningRelay
let url: string
beforeAll(async () => {
  relay = await ListeningRelay.start()
  url = `http://127.0.0.1:${relay.port}/derp`
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

async function bench(...args: string[]) {
  const io = testIo()
  const code = await main(['bench', ...args], io)
  return { code, stdout: io.stdout, stderr: io.stderr }
}

const SHORT = ['--duration', '100ms', '--warmup', '1ms']

test('derp bench measures a relay at a rate, and as fast as possible', async () => {
  const paced = await bench(...SHORT, '--json', '--rate', '200', '--size', '16,100', '--pairs', '2', url)
  expect([paced.code, paced.stderr]).toEqual([0, ''])
  const report = JSON.parse(paced.stdout) as BenchReport
  expect(report).toMatchObject({ relay: url, lost: 0, failures: 0, latencyFrom: 'intended send time', window: null })
  expect(report.pairs).toEqual({ wanted: 2, connected: 2, reason: null })
  expect(report.sent + report.unsent).toBe(20)
  const fast = JSON.parse((await bench(...SHORT, '--json', '--window', '4', url)).stdout) as BenchReport
  expect(fast).toMatchObject({ lost: 0, latencyFrom: 'send time', rate: null, window: 4, lateMs: null })
  expect(fast.received).toBeGreaterThan(0)
})

test('derp bench with one key sends to itself, with two from one to the other', async () => {
  const files = ['a', 'b'].map(name => {
    const path = join(directory, name)
    writeFileSync(path, JSON.stringify({ PrivateKey: NodePrivateKey.generate().exportText() }))
    return path
  })
  for (const keys of [files.slice(0, 1), files]) {
    const { code, stdout } = await bench(...SHORT, url, '--csv', '--key-file', ...keys)
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^seconds,sent,[\s\S]*\ntotal,[1-9]/)])
  }
})

test('derp bench draws on a terminal, and leaves the report alone there', async () => {
  const io = testIo({ columns: 80 })
  expect(await main(['bench', '--duration', '100ms', '--warmup', '1ms', '--pairs', '1', url], io)).toBe(0)
  const drawn = io.stdout.split('\x1b[5A\x1b[J')
  const [live, report] = [drawn[0], drawn.at(-1)]
  expect(live).toMatch(
    /^1 of 1 pairs connected\n\d+ of 0\.1 s, sent \d+, received \d+\n {2}received +\d+ packets\/s +█\n/,
  )
  expect(report).toMatch(
    /^1 pair, packets of 1280 bytes, as fast as possible with 32 in flight per pair, 0\.1 s\n\npackets/,
  )
})

test('derp bench fails if nothing connects', async () => {
  const { code, stderr, stdout } = await bench('http://127.0.0.1:9')
  expect([code, stdout]).toEqual([1, ''])
  expect(stderr).toMatch(/^derp: load http:\/\/127\.0\.0\.1:9\/derp: nothing connected: .*nothing listens there/)
})

test.each([
  ['use --window: with --rate there is none', ['--rate', '1', '--window', '2']],
  ['use --json: --csv was given as well', ['--json', '--csv']],
  ['use --pairs: the key files decide', ['--pairs', '2', '--key-file', 'a']],
  ['3 files; a pair needs two', ['--key-file', 'a', 'b', 'c']],
  ['Not numbers from 16 to 65536', ['--size', '15']],
  ['Not a positive number', ['--rate', '0']],
  ['more than 256', ['--processes', '257']],
  ['no such file', ['--key-file', '/nowhere/key']],
])('derp bench refuses: %s', async (text, args) => {
  expect(await bench('http://127.0.0.1:9', ...args)).toMatchObject({ code: 2, stderr: expect.stringContaining(text) })
})
