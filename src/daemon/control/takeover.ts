/** The second `derper` of an upgrade in place: it is ready first, then the first one drains (P-177). */

import type { Clock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import type { Log } from '../../lib/log.ts'
import { sleep } from '../../lib/sleep.ts'
import { type Finding, Readiness, type ReadinessCheck } from '../../status/readiness.ts'
import { type AskedToDrain, askDrain } from './control-client.ts'
import type { ControlStatus } from './control-message.ts'
import type { ControlServer } from './control-server.ts'

/** Milliseconds between two checks. */
const LOOK_MS = 100
/** Checks that can only pass once the first has ended: a region knows each relay by its key. */
const LATER: ReadonlySet<string> = new Set(['region'])

export interface TakeoverParts {
  readonly path: string
  /** Milliseconds to become ready. */
  readonly readyMs: number
  readonly first: ControlStatus
  readonly readiness: Pick<Readiness, 'report'>
  readonly control: Pick<ControlServer, 'listen'>
  readonly clock: Clock
  readonly log: Log
}

/**
 * Waits until this process is ready, then has the first drain.
 *
 * @returns the drain of the first; undefined if it could not be reached.
 * @throws DerpError if this process does not become ready; then the first knows nothing of it.
 */
export async function takeOver(parts: TakeoverParts): Promise<AskedToDrain | undefined> {
  const { path, first, readyMs, readiness, clock, log } = parts
  await untilReady(readiness, clock, readyMs)
  const { pid, version } = first
  // Whatever becomes of it, this one serves: to stop now would leave its clients to a process that may hang.
  const notHandedOver = ({ message: reason }: Error) => {
    const message = 'the first derper did not hand over: this one serves beside it; end the other'
    log.error(message, { pid, version, reason })
    return undefined
  }
  const asked = await askDrain(path, clock).catch(notHandedOver)
  if (asked === undefined) return undefined
  if (asked.failure === undefined) {
    await listen(parts)
    log.info('took over: the first derper drains', { pid, version })
  } else {
    notHandedOver(asked.failure)
    void asked.ended.then(() => listen(parts))
  }
  return asked
}

/** So that a third can take over from this one. */
async function listen({ control, path, log }: TakeoverParts): Promise<void> {
  try {
    await control.listen()
  } catch (error) {
    log.error('control socket not taken over: no other derper can take over from this one', {
      path,
      reason: (error as Error).message,
    })
  }
}

/** @throws DerpError naming what is not well. */
export function assertWell(checks: readonly ReadinessCheck[]): void {
  const { problems } = new Readiness(checks).report()
  if (problems.length > 0) throw notReady(problems)
}

/** @throws DerpError naming what is not ready. */
async function untilReady(readiness: Pick<Readiness, 'report'>, clock: Clock, readyMs: number): Promise<void> {
  const endsAtMs = clock.now() + readyMs
  for (;;) {
    const problems = readiness.report().problems.filter(({ name }) => !LATER.has(name))
    if (problems.length === 0) return
    if (clock.now() >= endsAtMs) throw notReady(problems)
    await sleep(clock, LOOK_MS)
  }
}

function notReady(problems: readonly Finding[]): DerpError {
  const reasons = problems.map(({ name, reason }) => `${name}: ${reason}`).join('; ')
  return new DerpError('ERR_DERP_TAKEOVER_FAILED', `take over: not ready: ${reasons}; the first derper goes on`)
}
