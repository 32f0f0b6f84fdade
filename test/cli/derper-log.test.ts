/** The log of `derper`: nothing that becomes of it may disturb the relay. */

import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { Target } from '../conformance/target.ts'
import { commandPath } from '../support/commands.ts'
import { Program, startProgram } from '../support/process.ts'
import { request } from '../support/raw-http.ts'
import { freePort, untilAnswering } from '../support/relays.ts'
import { RUNTIME_NAME, RUNTIME_PATH } from '../support/runtime.ts'
import { RUNS_ALL } from '../support/selection.ts'
import { served } from '../support/served.ts'

const DERPER = commandPath('derper')
const WORKERS = RUNS_ALL ? ['1', '2'] : ['2']
/** More lines than the daemon keeps, each of some 200 bytes. */
const MANY = 8_000

let directory: string
let program: Program | undefined
const descriptors: number[] = []
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'derper-log-'))
})
afterEach(async () => {
  await program?.stop('SIGKILL')
  for (const descriptor of descriptors.splice(0)) closeSync(descriptor)
})
afterAll(() => rmSync(directory, { recursive: true }))

/** A named pipe. A program that is given an end makes it block, so each has its own. */
function pipe(name: string): { readonly reader: number; readonly writer: number } {
  const path = join(directory, name)
  execFileSync('mkfifo', [path])
  const reader = open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { reader, writer: open(path, constants.O_WRONLY) }
}

function open(path: string, flags: number): number {
  const descriptor = openSync(path, flags)
  descriptors.push(descriptor)
  return descriptor
}

/** Starts a relay that logs each failed connection, with this as its standard error. */
async function start(standardError: number | 'pipe', workers: string) {
  const port = await freePort()
  const flags = ['-dev', '-a', `127.0.0.1:${port}`, '-stun=false', '-log-level', 'debug', '-workers', workers]
  const child = spawn(RUNTIME_PATH, [DERPER, ...flags], { stdio: ['ignore', 'pipe', standardError] })
  program = new Program('derper', child)
  await untilAnswering(port)
  const target = new Target({ url: `http://127.0.0.1:${port}/derp`, carriage: 'raw', like: 'ours' })
  const dropped = async () => {
    const own = (await target.vars())['derphttp'] as Record<string, number>
    return own['counter_log_lines_dropped'] ?? Number.NaN
  }
  return { program, port, target, dropped }
}

/** Logins that fail, one after the other from each of many clients. */
async function failLogins(port: number, count: number): Promise<void> {
  let left = count
  const fail = async () => {
    while (left-- > 0) {
      const headers = ['Upgrade: DERP', 'Connection: Upgrade']
      await request(port, 'GET /derp', headers)
    }
  }
  await Promise.all(Array.from({ length: 50 }, fail))
}

/** What is in a pipe now. */
function read(descriptor: number): string {
  const bytes = Buffer.alloc(1 << 20)
  let text = ''
  for (;;) {
    try {
      const count = readSync(descriptor, bytes)
      if (count === 0) return text
      text += bytes.toString('latin1', 0, count)
    } catch {
      return text
    }
  }
}

async function relays(target: Target): Promise<void> {
  const [a, b] = [await target.login(), await target.login()]
  a.packet(b.publicKey, 'still there')
  expect(await b.messageOf('receivedPacket')).toMatchObject({ source: a.publicKey })
  target.closeAll()
}

test.each(WORKERS)(
  'derper with -workers %s keeps relaying with a stalled log reader, and reports the number of lost lines later',
  async workers => {
    const { reader, writer } = pipe(`unread-${workers}`)
    const { port, target, dropped } = await start(writer, workers)
    expect(await dropped()).toBe(0)
    await failLogins(port, MANY)
    await expect.poll(dropped).toBeGreaterThan(0)
    await relays(target)
    let text = ''
    await expect
      .poll(() => {
        text += read(reader)
        return text
      })
      .toContain('"msg":"log lines were dropped"')
    const lines = text
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
    const [said] = lines.filter(({ msg }) => msg === 'log lines were dropped')
    expect(said?.['dropped']).toBeGreaterThan(0)
    expect(await dropped()).toBeGreaterThanOrEqual(said?.['dropped'] as number)
  },
)

test.each(WORKERS)('derper with -workers %s exits in time with a stalled log reader', async workers => {
  const { reader, writer } = pipe(`ending-${workers}`)
  const { program: derper, port } = await start(writer, workers)
  await failLogins(port, 1_000)
  derper.child.kill('SIGTERM')
  expect(await derper.exit()).toBe(0)
  // The pipe was full at the end; pages of it that hold a line each count as full too.
  expect(read(reader).length).toBeGreaterThan(40_000)
})

test('derper relays and exits with a stalled socket as its log', async () => {
  const { program: derper, port, target } = await start('pipe', '1')
  derper.child.stderr?.pause()
  await failLogins(port, MANY)
  await relays(target)
  derper.child.kill('SIGTERM')
  // Its write cannot be called off: only a signal ends it.
  expect([0, 'SIGTERM']).toContain(await derper.exit())
})

test('derper keeps relaying with its log on a full disk, and counts lost lines', async () => {
  const { port, target, dropped } = await start(open('/dev/full', constants.O_WRONLY), '1')
  await failLogins(port, MANY)
  await relays(target)
  expect(await dropped()).toBeGreaterThan(0)
})

test('derper keeps relaying after its log reader has exited', async () => {
  const { reader, writer } = pipe('left')
  const { port, target } = await start(writer, '1')
  closeSync(descriptors.splice(descriptors.indexOf(reader), 1)[0] as number)
  await failLogins(port, 100)
  await relays(target)
})

const FLAGS = ['-dev', '-a', '127.0.0.1:0', '-stun=false']
/** Warns, as runtimes do, and fails. */
const FAULT = `process.on('SIGUSR2', () => {
  process.emitWarning('mind the gap')
  setTimeout(() => { throw new Error('a fault') }, 50)
})`

// Bun takes no code by its command line.
test.runIf(RUNTIME_NAME === 'node')(
  'derper writes only JSON lines, including runtime warnings, its own failure and its addresses',
  async () => {
    const fault = `--import=data:text/javascript,${encodeURIComponent(FAULT)}`
    program = await startProgram(RUNTIME_PATH, [fault, DERPER, ...FLAGS])
    const output: string[] = []
    program.child.stdout?.on('data', chunk => output.push(String(chunk)))
    const { address } = await served(program)
    program.child.kill('SIGUSR2')
    expect(await program.exit()).toBe(1)
    expect(output).toEqual([])
    const lines = program.stderr
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          msg: 'try it',
          page: `http://${address}/`,
          command: expect.stringContaining(`cat http://${address}/derp`),
        }),
        expect.objectContaining({ level: 'warn', msg: 'warning of the runtime', message: 'mind the gap' }),
        expect.objectContaining({ level: 'error', msg: 'crashed', reason: 'a fault' }),
      ]),
    )
  },
)

test('derper -log-format text writes readable lines, including those of workers', async () => {
  const flags = [...FLAGS, '-log-format', 'text', '-log-level', 'debug', '-workers', '2']
  program = await startProgram(RUNTIME_PATH, [DERPER, ...flags])
  const [, port] = await program.stderrMatch(/^\S+Z info {2}serving address=127\.0\.0\.1:(\d+) tls=false/m)
  await failLogins(Number(port), 1)
  await program.stderrMatch(/^\S+Z debug connection ended.* thread=\d/m)
  program.child.kill('SIGTERM')
  expect(await program.exit()).toBe(0)
  for (const line of program.stderr.trimEnd().split('\n'))
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z (debug |info {2}|warn {2})\w/)
})

/** `script` runs a program on a terminal. */
const hasScript = spawnSync('script', ['--version']).status === 0
if (!hasScript) {
  if (process.env['CI']) throw new Error('find script: not installed, and CI may skip nothing')
  process.stderr.write('derper-log: no terminal, as script is not installed\n')
}

test.skipIf(!hasScript)('derper writes text on a terminal', async () => {
  // `exec`: a shell that stays would get the SIGINT too, and some shells die of it.
  const command = ['exec', RUNTIME_PATH, DERPER, ...FLAGS, '2>/dev/tty'].join(' ')
  const terminal = spawn('script', ['-qefc', command, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  program = new Program('script', terminal)
  const line = await program.lineWhere(text => (/ serving address=127/.test(text) ? text : undefined))
  expect(line).toMatch(/^\S+Z info {2}serving address=/)
  // Ctrl-C ends derper, and so script; SIGTERM to script would leave derper.
  terminal.stdin?.write('\x03')
  expect(await program.exit()).toBe(0)
})

test('derper rejects an unknown log format', async () => {
  program = await startProgram(RUNTIME_PATH, [DERPER, ...FLAGS, '-log-format', 'xml'])
  expect(await program.exit()).toBe(2)
  expect(program.stderr).toBe('derper: set flag -log-format to "xml": not one of text, json\n')
})
