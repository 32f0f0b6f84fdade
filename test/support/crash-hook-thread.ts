/** Loaded into all threads of a program by {@link CRASH_HOOK}. */

import { BroadcastChannel, isMainThread, workerData } from 'node:worker_threads'

const channel = new BroadcastChannel('crash')
channel.unref()
if (isMainThread) process.on('SIGUSR2', () => channel.postMessage(undefined))
else if ((workerData as { worker?: unknown } | null)?.worker === 1) {
  channel.onmessage = () =>
    setImmediate(() => {
      throw new Error('crashed by a test')
    })
}
