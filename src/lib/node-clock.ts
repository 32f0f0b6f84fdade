/** The real clock of programs with several threads. */

import { hrtime } from 'node:process'
import { type Clock, systemClock } from './clock.ts'

/** From the time of this thread, which begins with it, to that of the machine. */
const AHEAD_MS: number = Number(hrtime.bigint()) / 1e6 - performance.now()

/** Its `now` is the same in all threads of the process, so that times can be handed from one to the other. */
export const threadsClock: Clock = { ...systemClock, now: () => performance.now() + AHEAD_MS }
