/**
 * Prints the flags of the original's `derper`, for test/golden/derper-flags.json. Reads them from the source of two
 * releases in the module cache (`go mod download tailscale.com@RELEASE`), as not every Go can build the newer one.
 */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const RELEASES = ['v1.84.1', 'v1.104.5']

const FLAG = /flag\.(Bool|Int|Float64|String|Duration)\("([^"]+)", (.+?), "/g
const KINDS: Readonly<Record<string, string>> = {
  Bool: 'bool',
  Int: 'int',
  Float64: 'float',
  String: 'string',
  Duration: 'duration',
}

/** Defaults that are not literals, as shown by `-help`; null if they depend on the machine. */
const DEFAULTS: Readonly<Record<string, string | null>> = {
  '10*time.Minute': '10m0s',
  '15*time.Second': '15s',
  'math.Inf(+1)': '+Inf',
  'math.MaxInt': '9223372036854775807',
  'derp.DefaultTCPWiteTimeout': '2s',
  'derpserver.DefaultTCPWiteTimeout': '2s',
  'tsweb.DefaultCertDir("derper-certs")': null,
  'defaultMeshPSKFile()': null,
  'defaultSetecCacheDir()': null,
}

function capture(release: string): Record<string, { kind: string; default: string | null }> {
  const source = readFileSync(join(modules, `tailscale.com@${release}`, 'cmd/derper/derper.go'), 'utf8')
  const flags = [...source.matchAll(FLAG)].map(
    ([, kind = '', name = '', value = '']) => [name, { kind: KINDS[kind] ?? kind, default: defaultOf(value) }] as const,
  )
  return Object.fromEntries(flags.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function defaultOf(expression: string): string | null {
  if (/^(?:true|false|\d+|"[^"]*")$/.test(expression)) return expression.replaceAll('"', '')
  const known = DEFAULTS[expression]
  if (known === undefined) throw new Error(`read default ${expression}: not in the table of this script`)
  return known
}

const modules = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim()
const captured = {
  provenance: {
    module: 'tailscale.com, cmd/derper/derper.go',
    command: 'node scripts/capture-derper-flags.ts > test/golden/derper-flags.json',
    defaults: 'as -help shows them; null where they depend on the machine',
  },
  flags: Object.fromEntries(RELEASES.map(release => [release, capture(release)])),
}
process.stdout.write(`${JSON.stringify(captured, undefined, 2)}\n`)
