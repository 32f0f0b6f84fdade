/**
 * Runs every `check:` script of package.json, in parallel with a given command such as `vitest run`.
 *
 * The command's last line is printed last, unless something fails: programs read it.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'

const bin = join(process.cwd(), 'node_modules/.bin')
const env = {
  ...process.env,
  PATH: [bin, process.env['PATH']].join(delimiter),
  NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(process.cwd(), 'node_modules/.cache/compiled'),
  ...(process.stdout.isTTY && { FORCE_COLOR: '1' }),
}

const failed: string[] = []
let lastLine = ''

async function exitCode(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}

/** Runs a check and prints its result when it has ended. */
async function check(name: string, command: string): Promise<void> {
  const startMs = performance.now()
  const child = spawn(command, { env, shell: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += String(chunk)))
  const hasPassed = (await exitCode(child)) === 0
  if (!hasPassed) failed.push(name)
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1)
  process.stdout.write(`${name}: ${hasPassed ? 'passed' : 'FAILED'} in ${seconds} s\n${indented(output)}`)
}

function indented(output: string): string {
  const lines = output.split('\n').filter(line => line.trim() !== '')
  return lines.map(line => `  ${line}\n`).join('')
}

/** Runs the checks, `concurrency` at a time. */
async function checkAll(checks: [string, string][], concurrency: number): Promise<void> {
  const next = checks.values()
  const worker = async () => {
    for (const [name, command] of next) await check(name, command)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}

/** Runs the command and passes on its output, except the last line. */
async function runBeside([command = '', ...args]: string[]): Promise<void> {
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const text = lastLine + chunk
    const end = text.lastIndexOf('\n', text.length - 2) + 1
    process.stdout.write(text.slice(0, end))
    lastLine = text.slice(end)
  })
  if ((await exitCode(child)) !== 0) failed.push(command)
}

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
const checks = Object.entries(scripts).filter(([name]) => name.startsWith('check:'))
const command = process.argv.slice(2)
// Tests use all cores except while they wait; one check at a time fills these gaps.
await Promise.all(
  command.length === 0 ? [checkAll(checks, availableParallelism())] : [runBeside(command), checkAll(checks, 1)],
)
process.stdout.write(lastLine)
if (failed.length > 0) {
  process.stdout.write(`failed: ${failed.join(', ')}\n`)
  process.exitCode = 1
}
