/**
 * How long `derper` takes to start and how much memory it has then: as a single file, from source on either runtime, and
 * the original's. Size of the single file. Needs Linux and Go.
 *
 * npm run bench:start [-- --rounds 7] [--document]
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startProgram } from '../test/support/process.ts'
import { freePort, untilAnswering } from '../test/support/relays.ts'
import { wholeNumber } from './arguments.ts'
import type { Contender } from './contender.ts'
import { ourRelay, ourRelayOnBun, stockRelay } from './contenders.ts'
import { peakKilobytes, residentKilobytes } from './process-memory.ts'
import { fillMarkers } from './report/document.ts'
import { table } from './report/tables.ts'
import { shortNumber, spreadOf } from './statistics.ts'

const ROOT = join(import.meta.dirname, '..')
const PAGE = 'docs/operate/install.md'
/** From serving until memory is read. */
const REST_MS = 3_000

interface Started {
  readonly name: string
  readonly command: string
  readonly args: readonly string[]
}

interface Sample {
  readonly startMs: number
  readonly restMegabytes: number
  readonly peakMegabytes: number
}

/** Over plain HTTP, so that all need no certificate. */
async function measure({ command, args }: Started, folder: string): Promise<Sample> {
  const port = await freePort()
  const listen = ['-a', `127.0.0.1:${port}`, '-c', join(folder, `${port}.key`), '-http-port', '-1', '-stun=false']
  const beginMs = performance.now()
  const program = await startProgram(command, [...args, ...listen])
  try {
    await untilAnswering(port, 5)
    const startMs = performance.now() - beginMs
    await delay(REST_MS)
    const pid = program.child.pid as number
    return { startMs, restMegabytes: residentKilobytes(pid) / 1_024, peakMegabytes: peakKilobytes(pid) / 1_024 }
  } finally {
    await program.stop()
  }
}

/** Builds the single file; returns its path. */
function singleFile(folder: string): string {
  const target = `linux-${process.arch}`
  execFileSync('node', ['scripts/build-binary.ts', '--target', target, '--out', folder], { cwd: ROOT })
  return join(folder, `derper-${target}`)
}

function report(samples: ReadonlyMap<string, readonly Sample[]>, file: string): string {
  const rows = Array.from(samples, ([name, all]) => {
    const median = (figure: keyof Sample) => shortNumber(spreadOf(all.map(sample => sample[figure])).median)
    return [name, median('startMs'), median('restMegabytes'), median('peakMegabytes')]
  })
  const head = ['`derper`', 'start to first reply, ms', 'memory at rest, MB', 'most so far, MB']
  const packed = execFileSync('gzip', ['-c', file], { maxBuffer: 1 << 30 }).length
  const size = (bytes: number) => `${shortNumber(bytes / 1e6)} MB`
  return `${table(head, rows, 'lrrr')}\n\nThe file has ${size(statSync(file).size)}, compressed ${size(packed)}.`
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '7' }, document: { type: 'boolean', default: false } },
  })
  const rounds = wholeNumber('rounds', values.rounds)
  const folder = mkdtempSync(join(tmpdir(), 'derphttp-start-'))
  try {
    const file = singleFile(folder)
    const from = (name: string, { command, args }: Contender): Started => ({ name, command, args })
    const all = [
      { name: 'single file', command: file, args: [] },
      from('Bun, from source', ourRelayOnBun()),
      from('Node, from source', ourRelay([])),
      from('the original, v1.84.1', await stockRelay()),
    ]
    const samples = new Map<string, Sample[]>(all.map(({ name }) => [name, []]))
    for (let round = 0; round < rounds; round++) {
      for (const started of round % 2 === 0 ? all : all.toReversed()) {
        samples.get(started.name)?.push(await measure(started, folder))
      }
    }
    const text = report(samples, file)
    process.stdout.write(`${text}\n`)
    if (values.document) document(text)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function document(text: string): void {
  const path = join(ROOT, PAGE)
  const marked = { page: PAGE, prefix: 'bench', parts: { start: (lines: string) => lines } }
  writeFileSync(path, fillMarkers(readFileSync(path, 'utf8'), marked, text))
}

await main()
