/** The examples for runtimes other than Node, run as their READMEs say. Where a runtime is missing, client-runtimes.test.ts says so. */

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bunPath } from '../../tools/bun/bun-path.ts'
import { denoPath } from '../../tools/deno/deno-path.ts'
import { workerdPath } from '../../tools/workerd/workerd-path.ts'
import { Example } from '../support/example.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { freePort, untilListening } from '../support/relays.ts'

const [hasDeno, hasBun, hasWorkerd] = [denoPath, bunPath, workerdPath].map(path => path() !== undefined)
const SHOWN_URL = 'http://127.0.0.1:3340/derp'

let relay: ListeningRelay
let url: string
beforeAll(async () => {
  relay = await ListeningRelay.start()
  url = `http://127.0.0.1:${relay.port}/derp`
})
afterAll(async () => {
  await relay[Symbol.asyncDispose]()
})

/** Starts the peer on Deno that sends everything back. */
async function startEcho(example: Example) {
  const echo = await example.step({ relay: url })
  const key = await echo.lineWhere(line => /^key: (\S+)$/.exec(line)?.[1])
  return { echo, key }
}

test.skipIf(!hasDeno || !hasBun)('a client on Bun pings one on Deno', async () => {
  await using deno = new Example('deno-client')
  await using bun = new Example('bun-client')
  const { echo, key } = await startEcho(deno)
  const ping = await bun.step({ relay: url, values: { KEY: key } })
  expect([await ping.exit(), ping.stderr]).toEqual([0, ''])
  const lines = ping.stdout.trimEnd().split('\n')
  expect(lines.slice(0, 10).every((line, at) => line.startsWith(`${at}: `) && line.endsWith(' ms'))).toBe(true)
  expect(lines[10]).toMatch(/^10 sent, 10 came back, median \d+\.\d\d ms$/)
  expect(echo.stdout.match(/^1 bytes from nodekey:/gm)).toHaveLength(10)
  echo.child.kill('SIGINT')
  expect([await echo.exit(), echo.stderr, deno.left, bun.left]).toEqual([0, '', [], []])
})

test.skipIf(!hasBun)('the client on Bun reports a peer and a relay that are not there', async () => {
  await using example = new Example('bun-client')
  await using other = new Example('bun-client')
  const nobody = await example.step({ relay: url, values: { KEY: `nodekey:${'12'.repeat(32)}` } })
  const nowhere = await other.step({ relay: 'http://127.0.0.1:1/derp', values: { KEY: `nodekey:${'12'.repeat(32)}` } })
  expect([await nobody.exit(), nobody.stdout]).toEqual([1, expect.stringContaining('10 sent, 0 came back')])
  expect([await nowhere.exit(), nowhere.stderr]).toEqual([1, expect.stringContaining('127.0.0.1:1')])
})

test.skipIf(!hasDeno || !hasWorkerd)('a worker asks a peer', async () => {
  await using deno = new Example('deno-client')
  await using example = new Example('worker-client')
  const { key } = await startEcho(deno)
  const bundled = await example.step()
  expect(await bundled.exit(), bundled.stderr).toBe(0)
  const [config, port] = [join(example.folder, 'worker.capnp'), await freePort()]
  const text = readFileSync(config, 'utf8')
  writeFileSync(config, text.replace(SHOWN_URL, url).replace('127.0.0.1:8080', `127.0.0.1:${port}`))
  const worker = await example.step()
  await untilListening(port)
  const values = { '127.0.0.1:8080': `127.0.0.1:${port}`, KEY: key }
  const [good, bad] = [await example.step({ values }), await example.step({ values })]
  expect([await good.exit(), good.stdout]).toEqual([0, 'hello'])
  expect([await bad.exit(), bad.stdout]).toEqual([0, expect.stringContaining('node public key')])
  const silent = await fetch(`http://127.0.0.1:${port}/nodekey:${'12'.repeat(32)}`, { method: 'POST', body: 'hello' })
  expect([silent.status, await silent.text()]).toEqual([504, 'no answer within 5000 ms\n'])
  const tooLarge = await fetch(`http://127.0.0.1:${port}/${key}`, { method: 'POST', body: new Uint8Array(65_537) })
  expect([tooLarge.status, (await fetch(`http://127.0.0.1:${port}/`)).status]).toEqual([413, 405])
  worker.child.kill('SIGINT')
  await worker.exit()
  expect(example.left).toEqual([])
})
