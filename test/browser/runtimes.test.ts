/** The suite of `derphttp/browser` on runtimes that have its web APIs too. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bunPath } from '../../tools/bun/bun-path.ts'
import { denoPath } from '../../tools/deno/deno-path.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { ProxyControl } from '../support/proxy-control.ts'
import { CASES } from './cases/index.ts'

const PROGRAM = join(import.meta.dirname, '../support/browser-cases-program.ts')
const [bun, deno] = [bunPath(), denoPath()]
// Where one is missing, client-runtimes.test.ts says so, and fails in CI.
const RUNTIMES: readonly (readonly [name: string, command: readonly string[] | undefined])[] = [
  ['Node.js', [process.execPath]],
  ['Bun', bun === undefined ? undefined : [bun]],
  ['Deno', deno === undefined ? undefined : [deno, 'run', '--quiet', '--allow-net', '--no-prompt']],
]

let relay: ListeningRelay
let control: ProxyControl
beforeAll(async () => {
  relay = await ListeningRelay.start()
  control = await ProxyControl.start(relay.port)
})
afterAll(async () => {
  await control[Symbol.asyncDispose]()
  await relay[Symbol.asyncDispose]()
})

for (const [name, command] of RUNTIMES) {
  test.skipIf(command === undefined)(`every case passes on ${name}`, async () => {
    const [path = '', ...args] = command ?? []
    const proxiedUrl = `http://127.0.0.1:${control.proxy.port}/derp`
    const environment = { url: `http://127.0.0.1:${relay.port}/derp`, proxiedUrl, controlUrl: control.url }
    const { stdout } = await promisify(execFile)(path, [...args, PROGRAM, JSON.stringify(environment)])
    expect(JSON.parse(stdout)).toEqual(CASES.map(({ name }) => [name, 'passed']))
  })
}
