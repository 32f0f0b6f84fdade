import { expect, test } from 'vitest'
import { DerpError, isDerpError, ProtocolError } from './derp-error.ts'

test('DerpError carries code, clause and cause', () => {
  const cause = new Error('below')
  const error = new ProtocolError('ERR_DERP_FRAME_TOO_LONG', 'read frame: too long', { clause: 'P-003', cause })
  expect(error).toBeInstanceOf(DerpError)
  expect(error).toMatchObject({
    name: 'ProtocolError',
    code: 'ERR_DERP_FRAME_TOO_LONG',
    message: 'read frame: too long',
    clause: 'P-003',
    cause,
  })
})

test('DerpError without a cause has none', () => {
  const error = new DerpError('ERR_DERP_ABORTED', 'wait: aborted')
  expect('cause' in error).toBe(false)
  expect(error.clause).toBeUndefined()
})

test('isDerpError checks class and code', () => {
  const error = new DerpError('ERR_DERP_ABORTED', 'wait: aborted')
  expect(isDerpError(error)).toBe(true)
  expect(isDerpError(error, 'ERR_DERP_ABORTED')).toBe(true)
  expect(isDerpError(error, 'ERR_DERP_READ_TIMEOUT')).toBe(false)
  for (const other of [new Error('x'), { code: 'ERR_DERP_ABORTED' }, undefined, null]) {
    expect(isDerpError(other)).toBe(false)
  }
})
