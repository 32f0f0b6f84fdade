/** Runs tests repeatedly and reports failures: `npm run test:repeat -- 20 --project unit src/lib`. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, readFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { type JsonReport, RepeatTally } from './repeat-tally.ts'

const USAGE = `usage: npm run test:repeat -- N [options] [path ...]

Runs vitest N times and prints failed tests with their failure rate. Paths select test files as in vitest.

  --project P  run only this project; may be repeated
  --load       keep all cores busy
`

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const ROOT = join(import.meta.dirname, '..')

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    project: { type: 'string', multiple: true, default: [] },
    load: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})

/** Starts one busy thread per core; they end with this process. */
function startLoad(): void {
  for (let core = 0; core < availableParallelism(); core++) new Worker('for (;;);', { eval: true }).unref()
}

/** Runs vitest once, with its output in `logPath`. */
async function run(paths: readonly string[], reportPath: string, logPath: string): Promise<number | null> {
  const child = spawn(
    process.execPath,
    [
      join(ROOT, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${reportPath}`,
      ...values.project.map(name => `--project=${name}`),
      ...paths,
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  )
  // Signals to this process also stop vitest.
  const stop = (signal: NodeJS.Signals) => child.kill(signal)
  for (const signal of SIGNALS) process.once(signal, stop)
  const log = createWriteStream(logPath)
  child.stdout.pipe(log, { end: false })
  child.stderr.pipe(log, { end: false })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  for (const signal of SIGNALS) process.off(signal, stop)
  log.end()
  await once(log, 'close')
  return exitCode
}

async function main(): Promise<number> {
  const [count = '', ...paths] = positionals
  const runs = Number(count)
  if (values.help || !Number.isInteger(runs) || runs < 1) {
    process.stdout.write(USAGE)
    return values.help ? 0 : 2
  }
  if (values.load) startLoad()
  const folder = await mkdtemp(join(tmpdir(), 'test-repeat-'))
  const tally = new RepeatTally(ROOT)
  let isStopped = false
  for (const signal of SIGNALS) process.once(signal, () => (isStopped = true))
  for (let n = 1; n <= runs; n++) {
    const [reportPath, logPath] = [join(folder, `${n}.json`), join(folder, `${n}.log`)]
    const startedAtMs = performance.now()
    const exitCode = await run(paths, reportPath, logPath)
    if (isStopped) break
    const report = await readFile(reportPath, 'utf8').catch(() => undefined)
    const failed = tally.add(report === undefined ? undefined : (JSON.parse(report) as JsonReport), exitCode)
    const seconds = Math.round((performance.now() - startedAtMs) / 1_000)
    const result = failed === 0 ? 'passed' : `${failed} failed, see ${logPath}`
    process.stdout.write(`run ${n} of ${runs}: ${result} (${seconds} s)\n`)
  }
  process.stdout.write(`\n${tally.report()}`)
  return tally.redRuns === 0 ? 0 : 1
}

process.exitCode = await main()
