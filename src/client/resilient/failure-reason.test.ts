import { expect, test } from 'vitest'
import { DerpError } from '../../lib/derp-error.ts'
import { UpgradeRefusedError } from '../dial/upgrade-response.ts'
import { isClosedAtLogin, isDenied, isDuplicateProblem } from './failure-reason.ts'
import type { RunEnd } from './supervised-connection.ts'

const end = (fields: Partial<RunEnd>): RunEnd => ({
  cause: 'failed',
  stage: 'loggingIn',
  error: new DerpError('ERR_DERP_CONN_CLOSED', 'closed'),
  isHealthy: false,
  problem: '',
  restarting: undefined,
  ...fields,
})
const refused = (status: number) => new UpgradeRefusedError(status, 'no')

test.each([
  [refused(401), true],
  [refused(403), true],
  [refused(404), false],
  [refused(503), false],
  [new DerpError('ERR_DERP_ADMISSION_DENIED', 'no'), true],
  [new DerpError('ERR_DERP_CONN_CLOSED', 'closed', { cause: refused(403) }), true],
  [new DerpError('ERR_DERP_CONN_CLOSED', 'closed', { cause: new Error('403') }), false],
])('isDenied of %s: %s', (error, denied) => {
  expect(isDenied(end({ error }))).toBe(denied)
})

test.each<[Partial<RunEnd>, boolean]>([
  [{}, true],
  [{ error: new DerpError('ERR_DERP_WRITE_FAILED', 'broken pipe') }, true],
  [{ stage: 'connecting' }, false],
  [{ stage: 'usable' }, false],
  [{ cause: 'networkChanged' }, false],
  [{ error: new DerpError('ERR_DERP_LOGIN_TIMEOUT', 'late') }, false],
])('isClosedAtLogin of %j: %s', (fields, closed) => {
  expect(isClosedAtLogin(end(fields))).toBe(closed)
})

test.each([
  ['this node key is connected more than once; packets go to the connection that wrote last', true],
  ['Another endpoint connected with the same endpoint id.', true],
  ['duplicate key', true],
  ['this client sends faster than the relay allows; it is being slowed down', false],
  ['', false],
])('isDuplicateProblem of %j: %s (P-092)', (problem, duplicate) => {
  expect(isDuplicateProblem(problem)).toBe(duplicate)
})
