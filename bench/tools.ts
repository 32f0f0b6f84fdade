/** The Go programs of the benchmark: the load generator and stock relays, built once per machine and version. */

import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, mkdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** Source folder of the generator. */
export const GO_LOAD_MODULE: string = join(import.meta.dirname, 'go')

/** The reference release. */
export const REFERENCE_VERSION = 'v1.84.1'
/** A relay of the newest release; its go.mod says which, and which Go builds it. */
const NEWEST_MODULE = join(import.meta.dirname, 'go-newest')

/** A stock relay. */
export interface StockBuild {
  /** With version. */
  readonly name: string
  readonly path: string
}

/** Version of the installed Go. @throws Error without Go. */
export function goVersion(): string {
  try {
    const text = execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).trim()
    return text.replace(/^go/, '')
  } catch (cause) {
    throw new Error('find go: not installed; the benchmark needs it for the load generator and the stock relays', {
      cause,
    })
  }
}

/** Path of the load generator; built if its source has changed. */
export async function loadGenerator(): Promise<string> {
  return await buildModule(GO_LOAD_MODULE, 'load', process.env)
}

/** The reference relay. Needs the Go module proxy the first time. */
export async function referenceRelay(): Promise<StockBuild> {
  const path = await installRelay(REFERENCE_VERSION)
  return { name: `derper ${REFERENCE_VERSION} (Go ${builtWith(path)})`, path }
}

/** A relay of the newest release. Needs the Go module proxy the first time, also for the Go that it wants. */
export async function newestRelay(): Promise<StockBuild> {
  const { version, go } = newestVersions(readFileSync(join(NEWEST_MODULE, 'go.mod'), 'utf8'))
  const path = await buildModule(NEWEST_MODULE, 'derpserver', { ...process.env, GOTOOLCHAIN: `go${go}` })
  return { name: `derpserver ${version} (Go ${builtWith(path)})`, path }
}

/** @throws Error for a go.mod that requires no release. */
export function newestVersions(goMod: string): { readonly version: string; readonly go: string } {
  const [, go] = /^go (\S+)$/m.exec(goMod) ?? []
  const [, version] = /^require tailscale\.com (v\S+)$/m.exec(goMod) ?? []
  if (go === undefined || version === undefined)
    throw new Error('read go.mod of the newest relay: no Go, or no tailscale.com')
  return { version, go }
}

/** The Go that built a program. */
function builtWith(path: string): string {
  const text = execFileSync('go', ['version', path], { encoding: 'utf8' })
  return /: go(\S+)/.exec(text)?.[1] ?? 'unknown'
}

/** Path of a program; built if its source has changed. */
async function buildModule(source: string, name: string, env: NodeJS.ProcessEnv): Promise<string> {
  const directory = join(tmpdir(), `derphttp-bench-${name}-${sourceDigest(source)}`)
  const path = join(directory, name)
  mkdirSync(directory, { recursive: true })
  if (!existsSync(path)) await run('go', ['build', '-o', path, '.'], { cwd: source, env })
  return path
}

async function installRelay(version: string): Promise<string> {
  const directory = join(tmpdir(), `derphttp-derper-${version}`)
  const path = join(directory, 'derper')
  const env = { ...process.env, GOBIN: directory }
  if (!existsSync(path)) await run('go', ['install', `tailscale.com/cmd/derper@${version}`], { env })
  return path
}

function sourceDigest(source: string): string {
  const hash = createHash('sha256')
  for (const path of globSync(['**/*.go', 'go.*'], { cwd: source }).sort()) {
    hash.update(path).update(readFileSync(join(source, path)))
  }
  return hash.digest('hex').slice(0, 16)
}
