/** Real relays on loopback for the sessions that pages show, with what varies replaced. */

import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { NodeClient } from '../../src/client/node/node-client.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { commandPath } from '../../test/support/commands.ts'
import { type Program, startProgram } from '../../test/support/process.ts'
import { freePort } from '../../test/support/relays.ts'
import { RUNTIME_PATH } from '../../test/support/runtime.ts'
import { TestCa } from '../../test/support/test-ca.ts'

const DERPER = commandPath('derper')

export const SHOWN_KEY = `nodekey:${'3f1c07'.repeat(11).slice(0, 64)}`
const SHOWN_VERSION = '0.1.0-g0275c8920'

/** How long certificates are valid, so that nothing warns of their end. */
const DAYS = 90

/** A text and its replacement. */
export type Replacement = readonly [text: string | RegExp, shown: string]

/** A running `derper` for relay.example, with a certificate that {@link Stage.ca} has issued. */
export class StagedRelay {
  readonly program: Program
  /** Ports of DERP and of the metrics. */
  readonly port: number
  readonly metricsPort: number

  constructor(program: Program, port: number, metricsPort: number) {
    this.program = program
    this.port = port
    this.metricsPort = metricsPort
  }

  /** Lines of the log so far whose message or level matches. */
  lines(pattern = /./): string[] {
    return this.program.stderr.split('\n').filter(line => line !== '' && pattern.test(line))
  }

  /** Waits for so many lines that match. */
  async logged(pattern: RegExp, count = 1): Promise<void> {
    await this.program.stderrMatch(new RegExp(`(?:(?:${pattern.source})[^\\n]*\\n[\\s\\S]*?){${count}}`))
  }

  /** What the metrics listener responds, as `curl -s` shows it. */
  async curl(path: string, headers: Readonly<Record<string, string>> = {}): Promise<string> {
    const response = await fetch(`http://127.0.0.1:${this.metricsPort}${path}`, { headers })
    return (await response.text()).trimEnd()
  }
}

/** What a started relay is told beside the flags of all. */
export interface RelayOptions {
  readonly flags?: readonly string[]
  readonly hostname?: string
  readonly format?: 'json' | 'text'
  readonly env?: Readonly<Record<string, string>>
  /** Default: free ones. */
  readonly port?: number
  readonly metricsPort?: number
}

export class Stage implements AsyncDisposable {
  readonly folder: string
  readonly ca: TestCa
  readonly #programs: Program[] = []
  readonly #replacements: Replacement[] = []
  /** Host names with a certificate. */
  readonly #issued = new Set<string>()

  private constructor(folder: string, ca: TestCa) {
    this.folder = folder
    this.ca = ca
  }

  static async open(): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'session-'))
    const ca = await TestCa.create('authority', DAYS)
    await writeFile(join(folder, 'ca.pem'), ca.certificate)
    return new Stage(folder, ca)
  }

  /** Where a file of this name is. */
  path(name: string): string {
    return join(this.folder, name)
  }

  async file(name: string, text: string): Promise<string> {
    await writeFile(this.path(name), text)
    return this.path(name)
  }

  /** Starts a relay over TLS; resolves when it serves. */
  async relay(options: RelayOptions = {}): Promise<StagedRelay> {
    const relay = await this.started(options)
    await relay.logged(/ serving |"msg":"serving"/)
    return relay
  }

  /** Starts a relay that may not come to serve. */
  async started(options: RelayOptions): Promise<StagedRelay> {
    const { flags = [], hostname = 'relay.example', format = 'text' } = options
    const { port = await freePort(), metricsPort = await freePort() } = options
    await this.#issue(hostname)
    const listen = ['-a', `127.0.0.1:${port}`, '-http-port=-1', '-metrics-addr', `127.0.0.1:${metricsPort}`]
    const identity = ['-hostname', hostname, '-c', this.path(`${hostname}.json`)]
    const tls = ['-certmode', 'manual', '-certdir', this.folder]
    const stun = flags.some(flag => flag.startsWith('-stun')) ? [] : ['-stun=false']
    const args = [...listen, ...identity, ...tls, ...stun, '-log-format', format, ...flags]
    const program = await this.derper(args, { NODE_EXTRA_CA_CERTS: this.path('ca.pem'), ...options.env })
    this.#replacements.push([`127.0.0.1:${port}`, '[::]:443'], [`127.0.0.1:${metricsPort}`, '127.0.0.1:9340'])
    return new StagedRelay(program, port, metricsPort)
  }

  async #issue(hostname: string): Promise<void> {
    if (this.#issued.has(hostname)) return
    this.#issued.add(hostname)
    const notAfter = new Date(Date.now() + DAYS * 86_400_000)
    const { certificate, key } = await this.ca.issue({ dns: [hostname], notAfter })
    await this.file(`${hostname}.crt`, certificate)
    await this.file(`${hostname}.key`, key)
  }

  /** Starts `derper` with these arguments alone. */
  async derper(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Program> {
    const program = await startProgram(RUNTIME_PATH, [DERPER, ...args], { env })
    this.#programs.push(program)
    return program
  }

  /** What the relay responds over TLS: the status and the body. */
  async https({ port }: StagedRelay, path: string, headers: OutgoingHttpHeaders = {}): Promise<[number, string]> {
    const target = { host: '127.0.0.1', port, servername: 'relay.example', ca: this.ca.certificate, path, headers }
    const [response] = (await once(get({ ...target, agent: false }), 'response')) as [IncomingMessage]
    return [response.statusCode ?? 0, (await text(response)).trimEnd()]
  }

  /** A client of a relay, which is not connected yet. */
  client({ port }: StagedRelay, privateKey = NodePrivateKey.generate()): NodeClient {
    const node = {
      Name: '900a',
      RegionID: 900,
      HostName: 'relay.example',
      IPv4: '127.0.0.1',
      IPv6: 'none',
      DERPPort: port,
    }
    const region = { RegionID: 900, RegionCode: 'lab', RegionName: 'Lab', Nodes: [node] }
    return NodeClient.forRegion(privateKey, () => region, { tlsConfig: { ca: this.ca.certificate } })
  }

  /** A client that is logged in, and reads what comes until the relay ends its connection. */
  async connected(relay: StagedRelay, privateKey?: NodePrivateKey): Promise<NodeClient> {
    const client = this.client(relay, privateKey)
    const loggedIn = Promise.withResolvers<void>()
    const reading = async () => {
      for await (const { type } of client) if (type === 'serverInfo') loggedIn.resolve()
    }
    reading().catch(loggedIn.reject)
    await loggedIn.promise
    return client
  }

  /**
   * The text as pages show it.
   *
   * @param times of its lines, one after the other; the last holds for those that follow.
   */
  shown(said: string, times: readonly string[] = [], more: readonly Replacement[] = []): string {
    let at = 0
    const timeOf = () => `2026-11-30T${times[Math.min(at++, times.length - 1)] ?? '09:00:00.000'}Z`
    // Of lines of the log, as text or JSON.
    const timed = said.replaceAll(/(?<=^|"time":")\d{4}-\d\d-\d\dT[\d:.]+Z/gm, timeOf)
    const replacements: Replacement[] = [
      ...more,
      [`${this.folder}/`, '/etc/derper/'],
      ...this.#replacements,
      [/nodekey:[0-9a-f]{64}/g, SHOWN_KEY],
      [/\[[\w+/]{5}\]/g, '[k3mVw]'],
      [/\b\d+\.\d+\.\d+-g[0-9a-f]+\b/g, SHOWN_VERSION],
      [/(?:Node\.js|Bun) \d+\.\d+\.\d+/g, 'Bun 1.4.5'],
    ]
    return replacements.reduce((shown, [from, to]) => shown.replaceAll(from, to), timed)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map(program => program.stop('SIGKILL')))
    await rm(this.folder, { recursive: true })
  }
}
