/**
 * Runs an example as its README says, in a project of a user: the folder copied, beside it `node_modules` with the packages that the
 * README names and nothing else.
 *
 * `derphttp` is this checkout's source, under the names that package.json exports; `DERPHTTP_INSTALLED` names the folder of an
 * installed package to run instead, with its own copy of the examples.
 */

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { bunPath } from '../../tools/bun/bun-path.ts'
import { denoPath } from '../../tools/deno/deno-path.ts'
import { workerdPath } from '../../tools/workerd/workerd-path.ts'
import { commandPath } from './commands.ts'
import { type Program, startProgram } from './process.ts'

const ROOT = join(import.meta.dirname, '../..')
const INSTALLED = process.env['DERPHTTP_INSTALLED']
const EXAMPLES = join(INSTALLED ?? ROOT, 'examples')

/** Files that the package does not have. */
const UNPACKED = ['platforms.d.ts', 'tsconfig.json']

/** What a README writes where a user has a value of their own, such as `KEY`, and that value. */
export type Values = Readonly<Record<string, string>>

/** The relay in the commands of each README. */
const SHOWN_RELAY = 'http://127.0.0.1:3340/derp'

export interface StepOptions {
  /** URL of the relay. */
  readonly relay?: string
  /** Replaces words of the command. */
  readonly values?: Values
  readonly env?: Values
}

/** Programs by their names in commands; undefined where there is none for this machine. */
const PROGRAMS: Readonly<Record<string, readonly (string | undefined)[]>> = {
  node: [process.execPath],
  bun: [bunPath()],
  deno: [denoPath()],
  workerd: [workerdPath()],
  curl: ['curl'],
  derp: [process.execPath, INSTALLED === undefined ? commandPath('derp') : join(INSTALLED, 'dist/bin/derp.js')],
}

export class Example implements AsyncDisposable {
  /** The copied folder. */
  readonly folder: string
  /** Commands of the README that no step has run, in order. */
  readonly left: string[]
  readonly #project: string
  readonly #programs: Program[] = []

  /** Copies the example. @throws Error if its README names no packages. */
  constructor(name: string) {
    const readme = readFileSync(join(EXAMPLES, name, 'README.md'), 'utf8')
    this.#project = mkdtempSync(join(tmpdir(), `example-${name}-`))
    this.folder = join(this.#project, name)
    this.left = commandsOf(readme)
    cpSync(EXAMPLES, this.#project, { recursive: true, filter: path => !UNPACKED.includes(basename(path)) })
    install(this.#project, packagesOf(readme))
  }

  /** Starts the next command of the README; a file that its output goes to is left to the test. */
  async step({ relay, values = {}, env = {} }: StepOptions = {}): Promise<Program> {
    const command = this.left.shift()
    if (command === undefined) throw new Error('run a command of the README: there is none left')
    const shown: Values = { ...values, ...(relay !== undefined && { [SHOWN_RELAY]: relay }) }
    const [, input, piped] = /^echo (.*) \| (.*)$/.exec(command) ?? []
    const words = replaced(piped ?? command, shown).split(' ')
    const [name = '', ...args] = words[0] === 'npx' ? words.slice(1) : words
    const [path = name, ...before] = PROGRAMS[name] ?? [join(ROOT, 'node_modules/.bin', name)]
    const program = await startProgram(path, [...before.map(String), ...args], { cwd: this.folder, env })
    this.#programs.push(program)
    if (input !== undefined) program.child.stdin?.end(`${input}\n`)
    return program
  }

  /** Stops what still runs, and removes the project. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.toReversed()) await program.stop()
    rmSync(this.#project, { recursive: true })
  }
}

/** Those in its `sh` blocks, without their remarks. */
function commandsOf(readme: string): string[] {
  const blocks = Array.from(readme.matchAll(/^```sh\n([\s\S]*?)^```/gm), ([, block = '']) => block)
  const lines = blocks.join('').split('\n')
  return lines.map(line => line.replace(/\s+[#>].*/, '').trim()).filter(line => line !== '')
}

/** From its line "Packages: `a`, `b`". */
function packagesOf(readme: string): string[] {
  const line = /^Packages: (.*)$/m.exec(readme)?.[1]
  if (line === undefined) throw new Error('read README.md of the example: no line "Packages: …"')
  return Array.from(line.matchAll(/`([^`]+)`/g), ([, name = '']) => name)
}

function replaced(command: string, values: Values): string {
  return Object.entries(values).reduce((text, [from, to]) => text.replaceAll(from, to), command)
}

function install(project: string, packages: readonly string[]): void {
  const dependencies = Object.fromEntries(packages.map(name => [name, '*']))
  writeFileSync(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }))
  for (const name of packages.filter(each => each !== 'workerd')) {
    const link = join(project, 'node_modules', name)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(name === 'derphttp' ? (INSTALLED ?? sourcePackage(project)) : join(ROOT, 'node_modules', name), link)
  }
}

/** A package whose exports are the sources; not below `node_modules`, where Node takes no TypeScript. */
function sourcePackage(project: string): string {
  const folder = join(project, 'derphttp')
  mkdirSync(folder)
  const { name, version, type, exports } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const sources = JSON.stringify({ name, version, type, exports }).replace(
    /\.\/dist\/(entries\/\w+)(?:\.d\.ts|\.js)/g,
    './src/$1.ts',
  )
  writeFileSync(join(folder, 'package.json'), sources)
  // Deno looks for the packages of the sources beside the link.
  for (const shared of ['src', 'node_modules']) symlinkSync(join(ROOT, shared), join(folder, shared))
  return folder
}
