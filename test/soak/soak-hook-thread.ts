/**
 * Loaded into all threads of a soaked relay, which write about themselves.
 *
 * Every 5 s: for how long the event loop stood still at most, without the time for which the thread waited for a processor.
 * The relay's own metric has that in it, but here clients, attackers and relays share a few cores: it would measure the machine.
 *
 * On SIGWINCH: how much all threads hold when their garbage has been collected. The resident memory of a process says little
 * about that, because allocators keep what was freed.
 */

import { readFileSync, writeSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { BroadcastChannel, isMainThread, threadId, workerData } from 'node:worker_threads'
import { BALLAST_BYTES } from '../../src/daemon/node-garbage-collection.ts'

const TICK_MS = 10
const WINDOW_MS = 5_000
/** Milliseconds within which threads answer. */
const ANSWERS_MS = 1_500

const write = (value: unknown) => writeSync(2, `${JSON.stringify(value)}\n`)

/** Milliseconds for which this thread was ready to run, and did not: the second number of the file, in nanoseconds. */
function waitedMs(): number {
  const [, waited] = readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')
  return Number(waited) / 1e6
}

const most = { stoodStillMs: 0, withWaitsMs: 0 }
let [beforeMs, waitedBeforeMs] = [performance.now(), waitedMs()]

function tick(): void {
  const [nowMs, waitedNowMs] = [performance.now(), waitedMs()]
  const late = nowMs - beforeMs - TICK_MS
  most.stoodStillMs = Math.max(most.stoodStillMs, Math.round(late - (waitedNowMs - waitedBeforeMs)))
  most.withWaitsMs = Math.max(most.withWaitsMs, Math.round(late))
  beforeMs = nowMs
  waitedBeforeMs = waitedNowMs
}

let windows = 0

function writeMost(): void {
  // In the first one modules are loaded: this thread serves nobody yet.
  if (windows++ > 0) write({ ...most, thread: threadId })
  Object.assign(most, { stoodStillMs: 0, withWaitsMs: 0 })
}

const { Bun } = globalThis as { Bun?: { gc(isSynchronous: boolean): void } }

function collect(): void {
  if (Bun !== undefined) {
    Bun.gc(true)
    return
  }
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as () => void
  // What finalizers free takes another turn.
  gc()
  gc()
}

function heldBytes(): number {
  tick()
  collect()
  // Not a stall of the relay itself.
  beforeMs = performance.now()
  waitedBeforeMs = waitedMs()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + (external < BALLAST_BYTES ? external : external - BALLAST_BYTES)
}

const channel = new BroadcastChannel('memory')
channel.unref()
if (!isMainThread) {
  channel.onmessage = ({ data }: { data: unknown }) => {
    if (data === 'ask') channel.postMessage(heldBytes())
  }
} else {
  process.on('SIGWINCH', () => {
    const held: unknown[] = [heldBytes()]
    channel.onmessage = ({ data }: { data: unknown }) => void held.push(data)
    channel.postMessage('ask')
    setTimeout(() => write({ heldBytes: held }), ANSWERS_MS)
  })
}

const { worker } = (workerData ?? {}) as { worker?: unknown }
// Not the thread for STUN.
if (isMainThread || worker !== undefined) {
  setInterval(tick, TICK_MS).unref()
  setInterval(writeMost, WINDOW_MS).unref()
}
