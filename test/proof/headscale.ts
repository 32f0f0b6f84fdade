/**
 * Whether a newcomer's way to a relay of their own works: Headscale takes the output of `derp map make` unchanged, and nodes
 * that it admits make our relay their home, log in to it and reach each other through it, on each runtime.
 *
 * node test/proof/headscale.ts
 *
 * All of it is real: Headscale, tailscaled and the command tailscale. Builds them the first time, which takes minutes.
 */

import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs, promisify } from 'node:util'
import { runtimePath } from '../../tools/runtime-path.ts'
import { HEADSCALE, headscale, REFERENCE, stockCli, stockDaemon } from '../support/go-tools.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { type Program, startProgram } from '../support/process.ts'
import { freePort, untilListening } from '../support/relays.ts'
import { served } from '../support/served.ts'

const run = promisify(execFile)
const SOURCES = join(import.meta.dirname, '../../src/bin')
const HOST = '127.0.0.1'
const REGION = 'lab'
/** Of `derp doctor`, if the relay does not admit the key. */
const EXIT_LOGIN = 15

/** Tries until there is a value. @throws Error after too long, with the last failure. */
async function waitFor<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  const giveUpAtMs = performance.now() + PATIENCE_MS
  for (let last: unknown; ; await delay(200)) {
    try {
      const value = await attempt()
      if (value !== undefined) return value
    } catch (error) {
      last = error
    }
    if (performance.now() > giveUpAtMs)
      throw new Error(`wait for ${what}: not within ${PATIENCE_MS} ms`, { cause: last })
  }
}

/** Programs and files of one run, which ends them. */
class Scene implements AsyncDisposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'headscale-proof-'))
  readonly #programs: Program[] = []

  async start(path: string, args: readonly string[], env: Record<string, string> = {}): Promise<Program> {
    const program = await startProgram(path, args, { env })
    this.#programs.push(program)
    return program
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  write(name: string, text: string): string {
    writeFileSync(this.path(name), text)
    return this.path(name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.toReversed()) await program.stop()
    rmSync(this.directory, { recursive: true })
  }
}

interface Tools {
  readonly headscale: string
  readonly tailscaled: string
  readonly tailscale: string
}

interface Ports {
  readonly headscale: number
  readonly stun: number
}

/** A relay for an IP address with a self-signed certificate, which asks Headscale about each client. */
async function startRelay(scene: Scene, runtime: string, ports: Ports): Promise<number> {
  const listen = ['-a', `${HOST}:0`, '-http-port', '-1', '-stun-port', String(ports.stun)]
  const identity = ['-hostname', HOST, '-certmode', 'manual', '-certdir', scene.directory]
  const verify = ['-verify-client-url', `http://${HOST}:${ports.headscale}/verify`]
  const flags = [...listen, ...identity, ...verify, '-verify-client-url-fail-open=false', '-drain-time', '0s']
  const key = ['-c', scene.path('derper.key')]
  const relay = await scene.start(runtime, [join(SOURCES, 'derper.ts'), ...flags, ...key])
  return (await served(relay)).port
}

/** The DERP map as a newcomer makes it, without Tailscale's own relays. */
async function makeMap(runtime: string, relayPort: number, ports: Ports): Promise<string> {
  const region = ['--region-code', REGION, '--region-name', 'Lab', '--omit-default-regions']
  const args = ['map', 'make', '--for', 'headscale', ...region, '--stun-port', String(ports.stun)]
  const { stdout } = await run(runtime, [join(SOURCES, 'derp.ts'), ...args, `${HOST}:${relayPort}`])
  return stdout
}

/** The lines for config.yaml that the map has as comments, with the path that they name replaced. */
function derpConfig(map: string, mapFile: string): string {
  const lines = /^# derp:\n(?:# {3}.*\n)+/m.exec(map)?.[0]
  if (lines === undefined) throw new Error(`find lines for config.yaml in the map: none in\n${map}`)
  return lines.replaceAll(/^# /gm, '').replace('/etc/headscale/derp.yaml', mapFile)
}

function headscaleConfig(scene: Scene, ports: Ports, derp: string): string {
  return `
server_url: http://${HOST}:${ports.headscale}
listen_addr: ${HOST}:${ports.headscale}
metrics_listen_addr: ""
grpc_listen_addr: ${HOST}:0
noise:
  private_key_path: ${scene.path('noise.key')}
prefixes:
  v4: 100.64.0.0/10
  v6: fd7a:115c:a1e0::/48
database:
  type: sqlite
  sqlite:
    path: ${scene.path('headscale.sqlite')}
unix_socket: ${scene.path('headscale.sock')}
disable_check_updates: true
dns:
  magic_dns: false
  override_local_dns: false
  base_domain: proof.test
${derp}`
}

/** Starts Headscale with one user; gives a key by which nodes join. */
async function startHeadscale(scene: Scene, { headscale: path }: Tools, config: string): Promise<string> {
  const call = async (...args: string[]) => (await run(path, [...args, '--config', config])).stdout
  await call('configtest')
  await scene.start(path, ['serve', '--config', config])
  await waitFor('Headscale', () => call('health'))
  await call('users', 'create', 'newcomer')
  const made = JSON.parse(await call('preauthkeys', 'create', '--user', '1', '--reusable', '--output', 'json'))
  return made.key
}

interface TailscaleStatus {
  readonly Self: { readonly Relay: string; readonly TailscaleIPs: readonly string[] | null }
}

/** A node of the tailnet. */
class TailnetNode {
  readonly #tailscale: string
  readonly #socket: string

  private constructor(tailscale: string, socket: string) {
    this.#tailscale = tailscale
    this.#socket = socket
  }

  /** Keeps the daemon away from the world: relays, logs, portals; all packets go through relays. */
  static async join(scene: Scene, tools: Tools, name: string, url: string, key: string): Promise<TailnetNode> {
    const directory = scene.path(name)
    mkdirSync(directory)
    const socket = join(directory, 'sock')
    const flags = ['--tun=userspace-networking', '--port=0', '--no-logs-no-support']
    await scene.start(tools.tailscaled, [...flags, `--statedir=${directory}`, `--socket=${socket}`], {
      TS_LOGS_DIR: directory,
      TS_ASSUME_NETWORK_UP_FOR_TEST: '1',
      TS_PANIC_IF_HIT_MAIN_CONTROL: '1',
      TS_DISABLE_PORTMAPPER: '1',
      TS_DEBUG_ALWAYS_USE_DERP: '1',
    })
    const node = new TailnetNode(tools.tailscale, socket)
    await waitFor(`tailscaled of ${name}`, () => node.#status())
    await node.call('up', '--login-server', url, '--auth-key', key, '--hostname', name, '--timeout', '60s')
    return node
  }

  async call(...args: string[]): Promise<string> {
    return (await run(this.#tailscale, ['--socket', this.#socket, ...args])).stdout
  }

  async #status(): Promise<TailscaleStatus> {
    return JSON.parse(await this.call('status', '--json')) as TailscaleStatus
  }

  /** The code of its home region and its first address. */
  home(): Promise<{ readonly region: string; readonly address: string }> {
    return waitFor('a home region', async () => {
      const { Relay: region, TailscaleIPs: addresses } = (await this.#status()).Self
      const address = addresses?.[0]
      return region === '' || address === undefined ? undefined : { region, address }
    })
  }
}

/** Clients with the relay as home, from its metrics. */
async function homeConnections(port: number): Promise<number> {
  const request = get({ host: HOST, port, path: '/debug/varz', rejectUnauthorized: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const text = (await response.toArray()).join('')
  return Number(/^derp_current_home_connections (\d+)$/m.exec(text)?.[1])
}

/** @throws Error if something is not as it should be. */
async function prove(runtimeName: string, tools: Tools): Promise<void> {
  const say = (text: string) => process.stdout.write(`${runtimeName}: ${text}\n`)
  await using scene = new Scene()
  const runtime = runtimePath(runtimeName)
  const ports = { headscale: await freePort(), stun: await freePort() }
  const relayPort = await startRelay(scene, runtime, ports)
  const map = await makeMap(runtime, relayPort, ports)
  const mapFile = scene.write('derp.yaml', map)
  say(`derp map make:\n${map}`)
  const config = scene.write('config.yaml', headscaleConfig(scene, ports, derpConfig(map, mapFile)))
  const key = await startHeadscale(scene, tools, config)
  await untilListening(ports.headscale)
  say('Headscale takes the configuration and the map')
  const url = `http://${HOST}:${ports.headscale}`
  const one = await TailnetNode.join(scene, tools, 'one', url, key)
  const two = await TailnetNode.join(scene, tools, 'two', url, key)
  const [self, other] = [await one.home(), await two.home()]
  if (self.region !== REGION || other.region !== REGION) throw new Error(`see homes: ${self.region}, ${other.region}`)
  await waitFor('both nodes at the relay', async () => (await homeConnections(relayPort)) === 2 || undefined)
  say('both nodes are logged in to the relay and have it as home')
  const stranger = await scene.start(runtime, [join(SOURCES, 'derp.ts'), 'doctor', mapFile])
  const code = await stranger.exit()
  if (code !== EXIT_LOGIN) throw new Error(`diagnose the relay as a stranger: exit code ${code}\n${stranger.stdout}`)
  say('a key that Headscale does not know is not admitted')
  // Until one node has heard of the other's home, it has no way to it.
  const pong = await waitFor('an answer to a ping', () =>
    one.call('ping', '--until-direct=false', '--c', '1', other.address),
  )
  if (!pong.includes(`via DERP(${REGION})`)) throw new Error(`ping through the relay: ${pong}`)
  say(pong.trim())
  if (readFileSync(mapFile, 'utf8') !== map) throw new Error('compare the map: it was changed')
}

const { positionals } = parseArgs({ allowPositionals: true })
process.stdout.write(`building Headscale ${HEADSCALE}, tailscaled and tailscale ${REFERENCE} if they are missing\n`)
const tools = {
  headscale: await headscale(),
  tailscaled: await stockDaemon(),
  tailscale: await stockCli(),
}
for (const name of positionals.length > 0 ? positionals : ['node', 'bun']) await prove(name, tools)
