/** The real clock for programs with several threads. */

import { hrtime } from 'node:process'
import { type Clock, systemClock } from './clock.ts'

/** Offset from this thread's clock, which starts with the thread, to the machine's. */
const AHEAD_MS: number = Number(hrtime.bigint()) / 1e6 - performance.now()

/** Its `now` is the same in all threads of the process, so that threads can exchange times. */
export const threadsClock: Clock = { ...systemClock, now: () => performance.now() + AHEAD_MS }
