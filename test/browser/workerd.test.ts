/** The suite of `derphttp/browser` in workerd, the runtime of Cloudflare's workers. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { workerdPath } from '../../tools/workerd/workerd-path.ts'
import { bundleForBrowser } from '../support/browser-bundle.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { type Program, startProgram } from '../support/process.ts'
import { ProxyControl } from '../support/proxy-control.ts'
import { freePort } from '../support/relays.ts'
import type { CaseEnvironment } from './cases/case.ts'
import { CASES } from './cases/index.ts'

const path = workerdPath()
if (path === undefined) {
  if (process.env['CI']) throw new Error('find workerd: not installed, and CI may skip nothing')
  process.stderr.write('tests in workerd are skipped: there is no package of it for this machine\n')
}

/** A worker that runs the case it is asked for. */
const CODE = `
import { CASES } from ${JSON.stringify(join(import.meta.dirname, 'cases/index.ts'))}
export default {
  async fetch(request) {
    const { name, environment } = await request.json()
    try {
      await CASES.find(each => each.name === name).run(environment)
    } catch (error) {
      return new Response(String(error), { status: 500 })
    }
    return new Response('passed')
  },
}
`

const configOf = (port: number, modules: readonly string[]) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker), (name = "internet", network = (allow = ["private", "public"]))],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [${modules.map(name => `(name = "${name}", esModule = embed "${name}")`).join(', ')}],
  compatibilityDate = "2026-06-01"
);
`

describe.runIf(path !== undefined)('in workerd', () => {
  let folder: string
  let program: Program
  let relay: ListeningRelay
  let control: ProxyControl
  let environment: CaseEnvironment
  let url: string

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'workerd-'))
    const [chunks, port] = await Promise.all([bundleForBrowser(CODE), freePort()])
    for (const { name, code } of chunks) writeFileSync(join(folder, name), code)
    const names = chunks.map(({ name }) => name)
    writeFileSync(join(folder, 'config.capnp'), configOf(port, names))
    program = await startProgram(path ?? '', ['serve', join(folder, 'config.capnp')])
    url = `http://127.0.0.1:${port}/`
    relay = await ListeningRelay.start()
    control = await ProxyControl.start(relay.port)
    const proxiedUrl = `http://127.0.0.1:${control.proxy.port}/derp`
    environment = { url: `http://127.0.0.1:${relay.port}/derp`, proxiedUrl, controlUrl: control.url }
    // It runs no case without a name, but answers.
    await vi.waitFor(() => fetch(url, { method: 'POST', body: '{}' }), { timeout: PATIENCE_MS })
  })
  afterAll(async () => {
    await program.stop()
    await control[Symbol.asyncDispose]()
    await relay[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })

  test.each(CASES.map(({ name }) => name))('%s', async name => {
    const response = await fetch(url, { method: 'POST', body: JSON.stringify({ name, environment }) })
    expect([response.status, await response.text()]).toEqual([200, 'passed'])
  })
})
