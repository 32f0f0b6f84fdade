/** The thread that answers STUN, so that a flood of requests does not delay packets. */

import { isMainThread, parentPort, workerData } from 'node:worker_threads'
import { createStunServer, type StunServer } from '../../stun/server.ts'
import { ThreadCalls } from '../workers/thread-calls.ts'
import { sharedNumbers } from './shared-numbers.ts'
import { createStunCounts, type StunMainCalls, type StunThreadCalls, type StunThreadData } from './stun-calls.ts'

/** The module that the thread runs, from source and as built. */
export const STUN_ENTRY: URL = new URL(import.meta.url)

/** Tells this thread from others that load this module. */
export const STUN_MARK = 'derper STUN'

function run({ stun, counts: memory }: StunThreadData): void {
  if (parentPort === null) throw new TypeError('answer STUN: this is no thread of another')
  const counts = sharedNumbers(createStunCounts(), memory)
  let isTelling = false
  const onError = (error: Error, during: 'read' | 'write') => {
    // Anybody can cause these with a forged source address: one call at a time.
    if (isTelling) return
    isTelling = true
    void tell(main.call('failed', error.message, during)).then(() => {
      isTelling = false
    })
  }
  let server: StunServer | undefined
  const calls: StunThreadCalls = {
    listen: port => {
      server = createStunServer({
        ...stun,
        port,
        counts,
        onError,
        onBridge: seen => void tell(main.call('bridge', seen)),
      })
      return server.listen()
    },
    close: async () => server?.close(),
  }
  const main = new ThreadCalls<StunMainCalls>(parentPort, calls)
}

/** Fails only if the main thread is gone. */
function tell(call: Promise<void>): Promise<void> {
  return call.catch(() => {})
}

if (!isMainThread && (workerData as { mark?: unknown } | null)?.mark === STUN_MARK) {
  run((workerData as { data: StunThreadData }).data)
}
