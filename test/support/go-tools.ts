/** Go programs of the interop tests and the reference relay, built once per machine and source. */

import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { globSync, mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { buildOnce } from './build-once.ts'

const run = promisify(execFile)

/** Folder of the Go module. */
export const GO_MODULE: string = join(import.meta.dirname, '../interop/go')

/** The reference release. */
export const REFERENCE = 'v1.84.1'

/** Release of Headscale. */
export const HEADSCALE = 'v0.28.0'

/** Release of the ACME test server. */
const PEBBLE = 'v2.10.1'

/** Release of the NATS server. */
const NATS = 'v2.15.3'

/** An ACME test server, and a DNS server for it. */
export interface AcmeTools {
  readonly pebble: string
  readonly challtestsrv: string
}

/** Paths of the built programs. */
export interface GoTools {
  readonly derpclient: string
  readonly transfer: string
  readonly echo: string
  readonly golden: string
  readonly localapi: string
  readonly derpmap: string
  readonly netcheck: string
  /** Stock `derper`. */
  readonly derper: string
}

/** Whether Go is installed. Without it interop tests are skipped with one line; in CI that is a failure. */
export const hasGo: boolean = lookForGo()

let building: Promise<GoTools> | undefined
let buildingDaemon: Promise<string> | undefined
let buildingProber: Promise<string> | undefined
let buildingAcme: Promise<AcmeTools> | undefined
let buildingNats: Promise<string> | undefined

/** Builds missing programs; needs the Go module proxy the first time. */
export function goTools(): Promise<GoTools> {
  building ??= build()
  return building
}

/** Stock `tailscaled`, built if missing, which takes minutes: only one test needs it. */
export function stockDaemon(): Promise<string> {
  buildingDaemon ??= buildStock('tailscaled')
  return buildingDaemon
}

/** Stock `derpprobe`, built if missing. */
export function stockProber(): Promise<string> {
  buildingProber ??= buildStock('derpprobe')
  return buildingProber
}

/** The command `tailscale`, built if missing. */
export function stockCli(): Promise<string> {
  return buildStock('tailscale')
}

/** Headscale, built if missing, which takes minutes: no test needs it. */
export async function headscale(): Promise<string> {
  const directory = join(tmpdir(), `derphttp-headscale-${HEADSCALE}`)
  mkdirSync(directory, { recursive: true })
  const program = join(directory, 'headscale')
  await buildOnce([program], async () => {
    const download = ['mod', 'download', '-json', `github.com/juanfont/headscale@${HEADSCALE}`]
    const { stdout } = await run('go', download, { cwd: directory })
    // In its own folder the versions and checksums that it comes with apply; "go install" asks for more than proxies have.
    await run('go', ['build', '-o', program, './cmd/headscale'], { cwd: (JSON.parse(stdout) as { Dir: string }).Dir })
  })
  return program
}

/** The ACME test server, built if missing. */
export function acmeTools(): Promise<AcmeTools> {
  buildingAcme ??= buildAcme()
  return buildingAcme
}

/** A NATS server; builds it if missing. */
export function natsServer(): Promise<string> {
  buildingNats ??= buildNats()
  return buildingNats
}

function lookForGo(): boolean {
  try {
    execFileSync('go', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env['CI']) throw new Error('find go: not installed, and CI may skip nothing')
    process.stderr.write('interop tests are skipped: go is not installed\n')
    return false
  }
}

async function build(): Promise<GoTools> {
  const directory = join(tmpdir(), `derphttp-go-tools-${sourceDigest()}`)
  mkdirSync(directory, { recursive: true })
  const tools = Object.fromEntries(
    ['derpclient', 'transfer', 'echo', 'golden', 'localapi', 'derpmap', 'netcheck', 'derper'].map(name => [
      name,
      join(directory, name),
    ]),
  ) as unknown as GoTools
  const env = { ...process.env, GOBIN: directory }
  await buildOnce([tools.derper], () => run('go', ['install', `tailscale.com/cmd/derper@${REFERENCE}`], { env }))
  const { derper: _stock, ...ours } = tools
  await buildOnce(Object.values(ours), () =>
    run('go', ['build', '-o', `${directory}/`, './cmd/...'], { cwd: GO_MODULE, env }),
  )
  return tools
}

/** Builds a command of the reference release. */
async function buildStock(command: 'tailscale' | 'tailscaled' | 'derpprobe'): Promise<string> {
  const directory = join(tmpdir(), `derphttp-${command}-${REFERENCE}`)
  mkdirSync(directory, { recursive: true })
  const program = join(directory, command)
  const env = { ...process.env, GOBIN: directory }
  await buildOnce([program], () => run('go', ['install', `tailscale.com/cmd/${command}@${REFERENCE}`], { env }))
  return program
}

async function buildAcme(): Promise<AcmeTools> {
  const directory = join(tmpdir(), `derphttp-pebble-${PEBBLE}`)
  mkdirSync(directory, { recursive: true })
  const tools = { pebble: join(directory, 'pebble'), challtestsrv: join(directory, 'pebble-challtestsrv') }
  const packages = ['pebble', 'pebble-challtestsrv'].map(
    name => `github.com/letsencrypt/pebble/v2/cmd/${name}@${PEBBLE}`,
  )
  const env = { ...process.env, GOBIN: directory }
  await buildOnce(Object.values(tools), () => run('go', ['install', ...packages], { env }))
  return tools
}

async function buildNats(): Promise<string> {
  const directory = join(tmpdir(), `derphttp-nats-server-${NATS}`)
  mkdirSync(directory, { recursive: true })
  const server = join(directory, 'nats-server')
  const env = { ...process.env, GOBIN: directory }
  await buildOnce([server], () => run('go', ['install', `github.com/nats-io/nats-server/v2@${NATS}`], { env }))
  return server
}

function sourceDigest(): string {
  const hash = createHash('sha256').update(REFERENCE)
  for (const path of globSync(['**/*.go', 'go.*'], { cwd: GO_MODULE }).sort()) {
    hash.update(path).update(readFileSync(join(GO_MODULE, path)))
  }
  return hash.digest('hex').slice(0, 16)
}
