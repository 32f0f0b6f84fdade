/** Shutdown by signals. */

import type { Draining } from '../../daemon/draining.ts'

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM'] as const

/**
 * Resolves when the daemon should stop: the first signal drains, the second cuts the drain short.
 *
 * A third kills the process by default action. In development mode SIGINT (Ctrl-C) does not drain.
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
