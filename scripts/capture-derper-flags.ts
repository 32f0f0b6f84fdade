/**
 * Prints the flags of the original's `derper`, for test/golden/derper-flags.json, or with the argument `derpprobe` those of
 * that command. Reads them from the source of two releases in the module cache (`go mod download tailscale.com@RELEASE`),
 * as not every Go can build the newer one.
 */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const RELEASES_OF = { derper: ['v1.84.1', 'v1.104.5'], derpprobe: ['v1.84.1', 'v1.104.7'] } as const

const FLAG = /flag\.(Bool|Int|Int64|Float64|String|Duration)\("([^"]+)", (.+?), (?:"|fmt\.)/g
const KINDS: Readonly<Record<string, string>> = {
  Bool: 'bool',
  Int: 'int',
  Int64: 'int',
  Float64: 'float',
  String: 'string',
  Duration: 'duration',
}

/** Defaults that are not literals, as shown by `-help`; null if they depend on the machine. */
const DEFAULTS: Readonly<Record<string, string | null>> = {
  '10*time.Minute': '10m0s',
  '15*time.Second': '15s',
  '5*time.Second': '5s',
  '1_000_000': '1000000',
  'math.Inf(+1)': '+Inf',
  'math.MaxInt': '9223372036854775807',
  'derp.DefaultTCPWiteTimeout': '2s',
  'derpserver.DefaultTCPWiteTimeout': '2s',
  'tsweb.DefaultCertDir("derper-certs")': null,
  'defaultMeshPSKFile()': null,
  'defaultSetecCacheDir()': null,
}

function capture(release: string): Record<string, { kind: string; default: string | null }> {
  const text = readFileSync(join(modules, `tailscale.com@${release}`, source), 'utf8')
  const flags = [...text.matchAll(FLAG)].map(
    ([, kind = '', name = '', value = '']) =>
      [name, { kind: KINDS[kind] ?? kind, default: defaultOf(value, kind) }] as const,
  )
  return Object.fromEntries(flags.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function defaultOf(expression: string, kind: string): string | null {
  if (kind === 'Duration' && expression === '0') return '0s'
  if (/^(?:true|false|\d+|"[^"]*")$/.test(expression)) return expression.replaceAll('"', '')
  const known = DEFAULTS[expression]
  if (known === undefined) throw new Error(`read default ${expression}: not in the table of this script`)
  return known
}

const command = process.argv[2] === 'derpprobe' ? 'derpprobe' : 'derper'
const source = `cmd/${command}/${command}.go`
const modules = execFileSync('go', ['env', 'GOMODCACHE'], { encoding: 'utf8' }).trim()
const captured = {
  provenance: {
    module: `tailscale.com, ${source}`,
    command: `node scripts/capture-derper-flags.ts ${command} > test/golden/${command}-flags.json`,
    defaults: 'as -help shows them; null where they depend on the machine',
  },
  flags: Object.fromEntries(RELEASES_OF[command].map(release => [release, capture(release)])),
}
process.stdout.write(`${JSON.stringify(captured, undefined, 2)}\n`)
