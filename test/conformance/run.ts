/** Registers the suite with vitest, once for each relay. */

import { afterAll, beforeAll, describe, test } from 'vitest'
import { isApplicable } from './case.ts'
import { ALL_CASES } from './cases/index.ts'
import { Target, type TargetOptions } from './target.ts'

/** A relay that was started for a run. */
export interface StartedTarget {
  readonly options: TargetOptions
  stop(): Promise<void>
}

/**
 * Runs all cases that apply on one relay.
 *
 * @param shape what of the options is known before the start; decides which cases apply.
 */
export function conformance(
  name: string,
  shape: Omit<TargetOptions, 'url'> & { readonly tls: boolean; readonly quick?: boolean },
  start: () => Promise<StartedTarget>,
): void {
  describe(name, () => {
    let started: StartedTarget
    beforeAll(async () => {
      started = await start()
    })
    afterAll(() => started?.stop())

    const probe = new Target({ ...shape, url: shape.tls ? 'https://relay/derp' : 'http://relay/derp' })
    const applicable = ALL_CASES.filter(one => isApplicable(one, probe) && !(shape.quick && one.slow))
    const runsAlone = (one: (typeof ALL_CASES)[number]) => one.alone || one.needs?.includes('debug')
    const body = (one: (typeof ALL_CASES)[number]) => async () => {
      const target = new Target(started.options)
      try {
        await one.run(target)
      } finally {
        target.closeAll()
      }
    }
    const title = (one: (typeof ALL_CASES)[number]) => `${one.id} (${one.clauses.join(', ')})`

    describe.concurrent('side by side', { concurrent: true }, () => {
      for (const one of applicable.filter(one => !runsAlone(one))) test(title(one), body(one))
    })
    for (const one of applicable.filter(runsAlone)) test(title(one), body(one))
  })
}
