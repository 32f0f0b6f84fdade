/** How the daemon ends by signals. */

import type { Draining } from '../../daemon/draining.ts'

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Resolves when the daemon is to stop: drained by the first signal, in a hurry by the second.
 *
 * A third ends the process as if nobody listened. In development SIGINT, which is Ctrl-C, does not drain.
 */
export function endedBySignal(draining: Pick<Draining, 'run' | 'hurry'>, isDev: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    let hasBegun = false
    const onSignal = (signal: NodeJS.Signals) => {
      const isFirst = !hasBegun
      hasBegun = true
      if (isFirst && isDev && signal === 'SIGINT') {
        stopListening()
        resolve()
      } else if (isFirst) {
        draining.run().then(resolve, reject)
      } else {
        stopListening()
        draining.hurry()
      }
    }
    const stopListening = () => {
      for (const signal of ENDING_SIGNALS) process.off(signal, onSignal)
    }
    for (const signal of ENDING_SIGNALS) process.on(signal, onSignal)
  })
}
