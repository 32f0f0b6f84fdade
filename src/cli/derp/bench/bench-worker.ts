/** The hidden subcommand that `derp bench --processes` starts: one process of its load. */

import { onAbort } from '../../../lib/abort.ts'
import { systemClock, type Timer } from '../../../lib/clock.ts'
import type { CommandIo } from '../../command-io.ts'
import { trustSystem } from '../../trust.ts'
import type { AddSubcommand } from '../subcommand.ts'
import { START, WORKER_COMMAND, type WorkerLine } from './load-process.ts'
import type { LoadRun } from './load-run.ts'
import { type LoadSetup, loadRunOf } from './load-setup.ts'

/** Milliseconds between two reports to the parent, several in each of its seconds. */
const REPORT_MS = 200

export const addBenchWorker: AddSubcommand = (parent, { io }) => {
  parent.command(WORKER_COMMAND, { hidden: true }).action(async () => {
    const lines = linesOf(io.stdin)
    const setup = await lines.next()
    // The parent is gone.
    if (setup.done) return
    await trustSystem(io.env, () => {})
    await work(loadRunOf(JSON.parse(setup.value) as LoadSetup, io.env), lines, io)
  })
}

async function work(run: LoadRun, lines: AsyncIterator<string>, io: CommandIo): Promise<void> {
  const say = (line: WorkerLine) => io.out(`${JSON.stringify(line)}\n`)
  const started = Promise.withResolvers<boolean>()
  // Any other input, or its end, stops the load.
  void listen(lines, () => started.resolve(true)).finally(() => {
    run.stop()
    started.resolve(false)
  })
  const stopListening = onAbort(io.ended, () => run.stop())
  await say({ event: 'connected', connected: await run.connect() })
  if (await started.promise) {
    const stopReports = every(REPORT_MS, () => void say({ event: 'tally', tally: run.tally.data() }))
    await run.run()
    stopReports()
    await say({ event: 'tally', tally: run.tally.data() })
    await say({ event: 'done' })
  } else await run.close()
  stopListening()
}

async function listen(lines: AsyncIterator<string>, onStart: () => void): Promise<void> {
  const first = await lines.next()
  if (first.done || first.value !== START) return
  onStart()
  await lines.next()
}

function every(ms: number, fn: () => void): () => void {
  let timer: Timer
  const next = () => {
    timer = systemClock.after(ms, () => {
      fn()
      next()
    })
  }
  next()
  return () => timer.cancel()
}

async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      yield text.slice(0, end)
      text = text.slice(end + 1)
    }
  }
}
