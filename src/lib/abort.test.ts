import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { abortable, abortedError, onAbort } from './abort.ts'
import { DerpError } from './derp-error.ts'

test('abortable follows its promise', async () => {
  await expect(abortable(Promise.resolve(1), undefined, 'work')).resolves.toBe(1)
  await expect(abortable(Promise.resolve(1), new AbortController().signal, 'work')).resolves.toBe(1)
  const fault = new Error('fault')
  await expect(abortable(Promise.reject(fault), new AbortController().signal, 'work')).rejects.toBe(fault)
})

test('abortable rejects when its signal is aborted, before or later, with the reason as cause', async () => {
  const reason = new Error('enough')
  const never = new Promise<void>(() => {})
  await expect(abortable(never, AbortSignal.abort(reason), 'work')).rejects.toMatchObject({
    code: 'ERR_DERP_ABORTED',
    message: 'work: aborted by the caller',
    cause: reason,
  })
  const controller = new AbortController()
  const waiting = abortable(never, controller.signal, 'work')
  controller.abort(reason)
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
})

test('abortable releases its signal', async () => {
  const { signal } = new AbortController()
  await abortable(Promise.resolve(1), signal, 'work')
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})

test('abortedError returns a DerpError given as reason', () => {
  const reason = new DerpError('ERR_DERP_PING_TIMEOUT', 'ping: no answer')
  expect(abortedError('work', AbortSignal.abort(reason))).toBe(reason)
})

test('onAbort calls once, immediately for an aborted signal, and never after removal', () => {
  const calls: string[] = []
  onAbort(AbortSignal.abort(), () => calls.push('before'))
  const controller = new AbortController()
  onAbort(controller.signal, () => calls.push('later'))
  onAbort(controller.signal, () => calls.push('never'))()
  onAbort(undefined, () => calls.push('none'))()
  controller.abort()
  expect(calls).toEqual(['before', 'later'])
})
