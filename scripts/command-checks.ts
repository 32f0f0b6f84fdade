/** Whether a command of a page would be accepted: by our own parsers, or because what it names exists. */

import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { createProgram } from '../src/cli/derp/derp.ts'
import { DERP_MAP_FLAGS } from '../src/cli/derper/derp-map.ts'
import { DERPER_FLAGS } from '../src/cli/derper/derper-flags.ts'
import { readSettings } from '../src/cli/derper/derper-settings.ts'
import { DERPPROBE_FLAGS } from '../src/cli/derpprobe/probe-flags.ts'
import { readFlags } from '../src/cli/flag-sources.ts'
import { EXPORTED_SERIES } from '../test/support/exported-series.ts'
import { testIo } from '../test/support/test-io.ts'
import { readProtocolPages } from './clause-pages.ts'
import { parseClauses } from './clauses.ts'
import type { ShellCommand } from './shell-blocks.ts'

const ROOT = join(import.meta.dirname, '..')
/** Stands for what a reader has to fill in. */
const GAP = '…'

/** Programs of the system, that pages use but no test runs. */
const FOREIGN: ReadonlySet<string> = new Set(
  `apt awk base64 cat certbot chmod chown cp curl df cut dig docker dpkg echo git go grep head helm install ip iperf3 jq kill kubectl mkdir mv
  nft nginx nsc openssl pidof ps rm sed sleep sort ss ssh sudo sysctl systemctl systemd-analyze systemd-run tailscale tar tee timedatectl top ufw umask uname
  unzip useradd wget xxd`.split(/\s+/),
)

/** Values of flags that name files, so that settings can be read on any machine. */
const FILES: Readonly<Record<string, string>> = {
  'allow-keys-file': '',
  'deny-keys-file': '',
  'mesh-psk-file': 'a'.repeat(64),
  'rate-config': '{}',
  'status-token-file': 'b'.repeat(32),
  'tokens-file': '',
}

/** Checks commands; holds the files that flags name. */
export class CommandChecks implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'doc-commands-'))
  readonly #scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts)
  readonly #routes = routes()
  readonly #messages = logMessages()

  constructor() {
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(this.#folder, name), text)
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true })
  }

  /** Rejects with an Error that says what is wrong with the command. */
  async check({ program, args, env }: ShellCommand): Promise<void> {
    for (const name of Object.keys(env)) assertVariable(name)
    for (const word of [program, ...args]) assertPathExists(word)
    const name = ourName(program)
    if (name !== undefined) await this.#checkOurs(name, args)
    else if (program === 'npm') await this.#checkNpm(args)
    else if (program === 'npx' || program === 'bunx') await this.#checkRunner(args)
    else if (['bun', 'deno', 'node'].includes(program)) assertScript(program, args)
    else if (program === 'journalctl') this.#assertLogged(args)
    else if (!FOREIGN.has(program)) throw new Error(`run ${program}: neither ours nor a known program`)
    if (program === 'curl') this.#assertServed(args)
    if (program === 'grep') assertSeries(args)
  }

  async #checkOurs(name: OurName, args: readonly string[]): Promise<void> {
    if (name === 'derper') await this.#checkDerper(args)
    else if (name === 'derp') await parseDerp(args.map(filledIn))
    else await readFlags('derpprobe', DERPPROBE_FLAGS, { args: withoutGaps(args), env: {} })
  }

  async #checkDerper(all: readonly string[]): Promise<void> {
    const [first = ''] = all
    const hasCommand = ['check-config', 'health', 'derp-map'].includes(first)
    const table = first === 'derp-map' ? { ...DERPER_FLAGS, ...DERP_MAP_FLAGS } : DERPER_FLAGS
    const args = withoutGaps(all.slice(hasCommand ? 1 : 0))
    const { values, given, help } = await readFlags('derper', table, { args, env: {}, read: async () => '{}' })
    const isWhole = args.length > 0 && !all.includes(GAP) && first !== 'health'
    if (!isWhole || help || values.version || given.has('config')) return
    const files = [...given].filter(flag => flag in FILES).map(flag => [flag, join(this.#folder, flag)] as const)
    await readSettings({ ...values, ...Object.fromEntries(files) }, given, { HOME: '/root' })
  }

  async #checkNpm(args: readonly string[]): Promise<void> {
    const [verb = '', ...rest] = args.filter(arg => arg !== '-s')
    if (verb === 'start' || verb === 'test') this.#assertNpmScript(verb)
    if (verb !== 'run') return
    const [script = '', separator, ...own] = rest
    this.#assertNpmScript(script)
    const name = ourName(script)
    if (name !== undefined && separator === '--') await this.#checkOurs(name, own)
  }

  #assertNpmScript(name: string): void {
    if (!this.#scripts.includes(name)) throw new Error(`run npm script ${name}: package.json has none of that name`)
  }

  async #checkRunner(args: readonly string[]): Promise<void> {
    const [program = '', ...rest] = args.filter(arg => arg !== '--bun' && arg !== '-y')
    const name = ourName(program)
    if (name !== undefined) await this.#checkOurs(name, rest)
    else if (program === 'node') assertScript(program, rest)
    else if (!['biome', 'rolldown', 'vite', 'vitest', 'workerd'].includes(program))
      throw new Error(`run ${program} by npx: not a tool of this repository`)
  }

  #assertServed(args: readonly string[]): void {
    for (const arg of args.filter(each =>
      /^https?:\/\/(?:relay\d?\.example(?:\.com)?|(?:127\.0\.0\.1|localhost)(?!:8080))\b/.test(each),
    )) {
      const { pathname } = new URL(arg)
      if (!this.#routes.has(pathname)) throw new Error(`request ${arg}: no such route`)
    }
  }

  /** What is searched for with `-g` is in a message or a level of the log. */
  #assertLogged(args: readonly string[]): void {
    const unit = args[args.indexOf('-u') + 1]
    if (!args.includes('-u') || (unit !== 'derper' && unit !== 'derpprobe')) return
    const pattern = args.includes('-g') ? (args[args.indexOf('-g') + 1] ?? '') : ''
    for (const text of alternativesOf(pattern.replaceAll(/["()]/g, ''))) {
      if (!this.#messages.some(message => message.includes(text)))
        throw new Error(`search the log for "${text}": never logged`)
    }
  }
}

type OurName = 'derp' | 'derper' | 'derpprobe'

/** Which of our commands a program is; `derper-new` is the one that replaces the original. */
function ourName(program: string): OurName | undefined {
  const [, name] = /^(?:\S*\/)?(derper|derp|derpprobe)(?:-linux-(?:x64|arm64)|-new)?$/.exec(program) ?? []
  return name as OurName | undefined
}

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

function withoutGaps(args: readonly string[]): string[] {
  return args.filter(arg => arg !== GAP).map(filledIn)
}

/** Keys and hashes that a page shortens. */
function filledIn(arg: string): string {
  return arg.replace(/(nodekey:|sha256-raw:)[0-9a-f]*…/, (_, kind: string) => `${kind}${'a'.repeat(64)}`)
}

/** Parses without running: actions are replaced. */
async function parseDerp(args: readonly string[]): Promise<void> {
  const program = createProgram({ io: testIo(), done: () => {} })
  silence(program)
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    if ((error as { exitCode?: number }).exitCode !== 0) throw error
  }
}

function silence(command: Command): void {
  if (command.commands.length === 0) command.action(() => {})
  for (const each of command.commands) silence(each)
}

function assertVariable(name: string): void {
  const [, command, flag = ''] = /^(DERPER|DERPPROBE)_(\w+)$/.exec(name) ?? []
  if (command === undefined) return
  const flags = Object.keys(command === 'DERPER' ? DERPER_FLAGS : DERPPROBE_FLAGS)
  const asFlag = flag
    .replace(/_FILE$/, '')
    .toLowerCase()
    .replaceAll('_', '-')
  if (![asFlag, `${asFlag}-file`].some(each => flags.includes(each))) throw new Error(`set ${name}: no such flag`)
}

const OF_REPOSITORY = /^(?:\.\/)?(?:bench|deploy|docs|examples|fuzz|scripts|src|test|tools)\/[\w./-]+$/
const OF_BUILD =
  /^(?:\.\/)?build\/(?:release|(?:derper|derp|derpprobe)-(?:linux|darwin|windows)-(?:x64|arm64)|derper_\S+\.deb)$/

function assertPathExists(word: string): void {
  if (word.includes('*')) return
  if (OF_REPOSITORY.test(word) && !existsSync(join(ROOT, word))) throw new Error(`name ${word}: no such file`)
  if (/^(?:\.\/)?build\//.test(word) && !OF_BUILD.test(word)) throw new Error(`name ${word}: no build writes it`)
}

function assertScript(program: string, args: readonly string[]): void {
  const file = args.find(arg => !arg.startsWith('-') && arg !== 'run')
  // Without a folder it is one that the page has its reader write.
  if (file === undefined || (file.includes('/') && !existsSync(join(ROOT, file))))
    throw new Error(`run ${program} ${file ?? ''}: no such file`)
}

/** Metrics that are searched for exist. */
function assertSeries(args: readonly string[]): void {
  const pattern = args.find(arg => !arg.startsWith('-')) ?? ''
  for (const each of alternativesOf(pattern).filter(
    text => /derp|process/.test(text) || pattern.includes('derphttp'),
  )) {
    if (![...EXPORTED_SERIES.keys()].some(name => new RegExp(each).test(name)))
      throw new Error(`search for ${each}: no such metric`)
  }
}

/** The alternatives of a pattern, those within parentheses left together. */
function alternativesOf(pattern: string): string[] {
  return pattern.split(/\|(?![^(]*\))/).filter(text => text !== '')
}

/** Paths that relays and probers serve. */
function routes(): ReadonlySet<string> {
  const clauses = [...readProtocolPages().values()].flatMap(parseClauses)
  const ofRelay = clauses.flatMap(clause => clause.routes)
  const ofProber = ['/probe', '/debug/probe-run', '/debug/probe-all']
  return new Set([...ofRelay, ...ofProber, '/metrics', '/.well-known/acme-challenge/x'])
}

/** Messages and levels of the log. */
function logMessages(): string[] {
  const sources = globSync('src/**/*.ts', { cwd: ROOT }).filter(path => !path.endsWith('.test.ts'))
  const strings = sources.flatMap(path =>
    Array.from(read(path).matchAll(/'([a-z][^'\n]* [^'\n]*|[a-z]+)'/gi), ([, text = '']) => text),
  )
  return [...new Set(strings)]
}
