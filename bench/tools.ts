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
/** Candidates for the newest release: the first that the installed Go can build. */
const NEWEST_VERSIONS = ['v1.104.5', 'v1.102.5', 'v1.98.10']

/** A stock relay. */
export interface StockBuild {
  readonly version: string
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
  const directory = join(tmpdir(), `derphttp-bench-load-${sourceDigest()}`)
  const path = join(directory, 'load')
  mkdirSync(directory, { recursive: true })
  if (!existsSync(path)) await run('go', ['build', '-o', path, '.'], { cwd: GO_LOAD_MODULE })
  return path
}

/** The reference relay. Needs the Go module proxy the first time. */
export async function referenceRelay(): Promise<StockBuild> {
  return { version: REFERENCE_VERSION, path: await installRelay(REFERENCE_VERSION) }
}

/** The newest stock relay that the installed Go can build. @throws Error if it can build none of them. */
export async function newestRelay(): Promise<StockBuild> {
  let failure: unknown
  for (const version of NEWEST_VERSIONS) {
    try {
      return { version, path: await installRelay(version) }
    } catch (error) {
      failure = error
    }
  }
  throw new Error(`build a newer stock relay: not one of ${NEWEST_VERSIONS.join(', ')}`, { cause: failure })
}

async function installRelay(version: string): Promise<string> {
  const directory = join(tmpdir(), `derphttp-derper-${version}`)
  const path = join(directory, 'derper')
  const env = { ...process.env, GOBIN: directory }
  if (!existsSync(path)) await run('go', ['install', `tailscale.com/cmd/derper@${version}`], { env })
  return path
}

function sourceDigest(): string {
  const hash = createHash('sha256')
  for (const path of globSync(['**/*.go', 'go.*'], { cwd: GO_LOAD_MODULE }).sort()) {
    hash.update(path).update(readFileSync(join(GO_LOAD_MODULE, path)))
  }
  return hash.digest('hex').slice(0, 16)
}
