/** The blocks of all pages: commands are accepted, settings and DERP maps are read. */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { main as derp } from '../src/cli/derp/derp.ts'
import { DERPER_FLAGS } from '../src/cli/derper/derper-flags.ts'
import { readSettings } from '../src/cli/derper/derper-settings.ts'
import { readFlags } from '../src/cli/flag-sources.ts'
import { OWN_CAUSES } from '../src/diagnose/cause.ts'
import { EXPORTED_SERIES } from '../test/support/exported-series.ts'
import { hasProxy } from '../test/support/proxies.ts'
import { hasAnalyze } from '../test/support/systemd.ts'
import { testIo } from '../test/support/test-io.ts'
import { CommandChecks } from './command-checks.ts'
import { type Block, blocksOf, commandsOf, inputOf } from './shell-blocks.ts'

const ROOT = join(import.meta.dirname, '..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  cwd: ROOT,
  encoding: 'utf8',
})
/** Those for readers; notes of tests are not. */
const PAGES = listed.split('\n').filter(path => path !== '' && !path.startsWith('test/'))
const BLOCKS = PAGES.flatMap(path => blocksOf(path, read(path)))
const titled = (blocks: readonly Block[]) => blocks.map(block => [`${block.path}:${block.line}`, block] as const)
const inLanguage = (...languages: string[]) => titled(BLOCKS.filter(({ language }) => languages.includes(language)))

/** Languages that this test checks, and after them those of others. */
const LANGUAGES = [
  '',
  'console',
  'hujson',
  'ini',
  'json',
  'nginx',
  'sh',
  'text',
  'yaml',
  'html',
  'js',
  'jsx',
  'ts',
  'tsx',
]

let checks: CommandChecks
beforeAll(() => {
  checks = new CommandChecks()
})
afterAll(() => checks[Symbol.dispose]())

test('blocks are in languages that are checked', () => {
  expect(BLOCKS.filter(({ language }) => !LANGUAGES.includes(language))).toEqual([])
  expect(BLOCKS.length).toBeGreaterThan(50)
})

describe('commands', () => {
  test.for(inLanguage('sh', 'console'))('%s: bash reads them, and each is accepted', async ([, block]) => {
    const input = inputOf(block) ?? ''
    if (block.language === 'sh') execFileSync('bash', ['-n'], { input: input.replaceAll('…', ''), stdio: 'pipe' })
    for (const command of commandsOf(input)) {
      const shown = [command.program, ...command.args].join(' ')
      await expect(checks.check(command), shown).resolves.toBeUndefined()
    }
  })

  test.for(PAGES)('%s names scripts of npm that exist', async path => {
    for (const [, script = ''] of read(path).matchAll(/\bnpm run (?:-s )?([\w:-]+)/g))
      await checks.check({ program: 'npm', args: ['run', script], env: {} })
  })

  test.each([
    ['derper -hostnam x', /no such flag/],
    ['derper -a :443', /-hostname is not set/],
    ['derper check-config -stun-port x', /not a whole number/],
    ['DERPER_STUN_PORTS=1 derper -dev', /no such flag/],
    ['derp doktor x', /unknown command/],
    ['derp map lint --stric x', /unknown option/],
    ['derpprobe -twice', /no such flag/],
    ['npm run nothing', /none of that name/],
    ['node scripts/nothing.ts', /no such file/],
    ['kubectl apply -k deploy/nothing', /no such file/],
    ['install build/derper-linux-x86 /usr/bin/derper', /no build writes it/],
    ['curl http://127.0.0.1:9340/ready', /no such route/],
    ['journalctl -u derper -g "connections welcomed"', /never logged/],
    ['grep derphttp_happiness', /no such metric/],
    ['frobnicate', /neither ours nor a known program/],
  ])('%s would be found', async (script, reason) => {
    const all = commandsOf(script).map(command => checks.check(command))
    await expect(Promise.all(all)).rejects.toThrow(reason)
  })
})

describe('settings and maps', () => {
  const lint = async (text: string) => {
    const io = testIo({ stdin: text })
    expect(await derp(['map', 'lint', '-'], io), `${io.stdout}${io.stderr}`).toBe(0)
  }
  /** Hashes are shortened. */
  const filledIn = (text: string) => text.replaceAll(/sha256-raw:[0-9a-f]*…/g, `sha256-raw:${'a'.repeat(64)}`)

  test.for(inLanguage('json'))('%s is JSON, and a node or a map in it passes lint', async ([, { text }]) => {
    // A member of an object to put it into.
    const value: unknown = JSON.parse(filledIn(text.startsWith('"') ? `{${text}}` : text))
    if (typeof value !== 'object' || value === null) return
    if ('$schema' in value && String(value.$schema).endsWith('derper.schema.json')) await assertConfiguration(text)
    if ('HostName' in value && 'RegionID' in value) await lint(mapAround(value))
    if ('Regions' in value || 'derpMap' in value) await lint(JSON.stringify(value))
  })

  test.for(inLanguage('hujson'))('%s passes lint', async ([, { text }]) => {
    await lint(filledIn(text))
  })

  test.for(inLanguage('yaml'))('%s is YAML, and a map passes lint', async ([, { text }]) => {
    expect(parseAllDocuments(text).flatMap(({ errors }) => errors)).toEqual([])
    if (/^regions:/m.test(text)) await lint(filledIn(text))
  })
})

/** A file of `-config`. */
async function assertConfiguration(text: string): Promise<void> {
  const { values, given } = await readFlags('derper', DERPER_FLAGS, {
    args: ['-config', 'derper.json'],
    env: {},
    read: async () => text,
  })
  await readSettings(values, given, { HOME: '/root' })
}

test.skipIf(!hasAnalyze).for(inLanguage('ini'))('%s is accepted by systemd as a part of the unit', ([, { text }]) => {
  const folder = mkdtempSync(join(tmpdir(), 'doc-unit-'))
  try {
    const unit = join(folder, 'derper.service')
    // The unit must name an existing program, such as Node.
    writeFileSync(unit, read('deploy/systemd/derper.service').replace('/usr/local/bin/derper', process.execPath))
    mkdirSync(`${unit}.d`)
    writeFileSync(join(`${unit}.d`, 'page.conf'), text)
    const said = spawnSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', unit], {
      encoding: 'utf8',
    })
    expect(`${said.stdout}${said.stderr}`).toBe('')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.skipIf(!hasProxy('nginx')).for(inLanguage('nginx'))('%s is accepted by nginx in a server', ([, { text }]) => {
  const folder = mkdtempSync(join(tmpdir(), 'doc-nginx-'))
  try {
    const server = `server { listen unix:${folder}/socket; ${text} }`
    const http = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${folder};`)
    const whole = `pid ${folder}/pid; error_log stderr; events {} http { access_log off; ${http.join(' ')} ${server} }`
    writeFileSync(join(folder, 'nginx.conf'), whole)
    execFileSync('nginx', ['-t', '-c', join(folder, 'nginx.conf')], { stdio: 'pipe' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function mapAround(node: { RegionID: unknown }): string {
  const id = String(node.RegionID)
  const region = { RegionID: node.RegionID, RegionCode: 'mine', RegionName: 'Mine', Nodes: [node] }
  return JSON.stringify({ Regions: { [id]: region } })
}

test('what troubleshooting quotes of the doctor, the doctor says', () => {
  const quoted = Array.from(
    read('docs/operate/troubleshooting.md').matchAll(/^- \*([^*]+)\*/gm),
    ([, text = '']) => text,
  )
  const sentences = Object.values(OWN_CAUSES).map(([sentence]) => sentence)
  expect(quoted.length).toBeGreaterThan(7)
  expect(quoted.filter(text => !sentences.some(sentence => sentence.startsWith(text)))).toEqual([])
})

test('metrics that pages for operators name exist', () => {
  const names = new Set([...EXPORTED_SERIES.keys()].map(name => name.replace(/_(?:bucket|sum|count)$/, '')))
  // Classes of probes are named alike.
  const pages = PAGES.filter(path => /^(?:docs\/operate|deploy)\//.test(path) && !path.endsWith('/probe.md'))
  const named = pages.flatMap(path =>
    Array.from(read(path).matchAll(/(?<!`)`(derp(?:http|er)?_\w+)(?![\w*])/g), ([, name = '']) => `${path}: ${name}`),
  )
  expect(named.filter(each => !names.has(each.replace(/^.*: /, '')))).toEqual([])
})
