/** Loaded into all threads of a program by {@link CRASH_HOOK}. Each signal crashes the worker that was started first. */

import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads'

const channel = new BroadcastChannel('crash')
channel.unref()
const { worker } = (workerData ?? {}) as { worker?: unknown }
if (isMainThread) {
  let crashes = 0
  process.on('SIGUSR2', () => channel.postMessage(++crashes))
} else if (worker !== undefined) {
  channel.onmessage = ({ data }: { data: unknown }) => {
    // Workers are numbered in the order of their starts.
    if (data !== worker) return
    setImmediate(() => {
      throw new Error('crashed by a test')
    })
  }
}
