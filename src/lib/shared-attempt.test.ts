import { expect, test } from 'vitest'
import { rejectionsOf } from '../../test/support/rejections.ts'
import { abortable } from './abort.ts'
import { DerpError } from './derp-error.ts'
import { SharedAttempt } from './shared-attempt.ts'

function setUp() {
  const done = Promise.withResolvers<number>()
  let stopped: AbortSignal | undefined
  const attempt = new SharedAttempt(stop => {
    stopped = stop
    return abortable(done.promise, stop, 'work')
  })
  return { attempt, done, isStopped: () => stopped?.aborted }
}

test('SharedAttempt gives every waiter the same result', async () => {
  const { attempt, done } = setUp()
  const waiting = [attempt.wait('call'), attempt.wait('call')]
  done.resolve(7)
  expect(await Promise.all(waiting)).toEqual([7, 7])
  expect(attempt.isAborted).toBe(false)
})

test('SharedAttempt gives every waiter the same failure', async () => {
  const { attempt, done } = setUp()
  const waiting = [attempt.wait('call'), attempt.wait('call')]
  const error = new Error('no')
  done.reject(error)
  expect(await rejectionsOf(waiting)).toEqual([error, error])
})

test('SharedAttempt continues while anyone waits and is aborted by the last to give up', async () => {
  const { attempt, isStopped } = setUp()
  const first = new AbortController()
  const second = new AbortController()
  const waiting = [attempt.wait('first call', first.signal), attempt.wait('second call', second.signal)]
  first.abort()
  await expect(waiting[0]).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  expect([attempt.isAborted, isStopped()]).toEqual([false, false])
  second.abort()
  await expect(waiting[1]).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
  expect([attempt.isAborted, isStopped()]).toEqual([true, true])
})

test('SharedAttempt aborted from outside rejects with the reason', async () => {
  const { attempt } = setUp()
  const waiting = attempt.wait('call')
  const reason = new DerpError('ERR_DERP_CLIENT_CLOSED', 'closed')
  attempt.abort(reason)
  await expect(waiting).rejects.toBe(reason)
})
