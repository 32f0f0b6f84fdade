import { expect, test } from 'vitest'
import {
  connectionFault,
  explainError,
  explainFault,
  faultOf,
  SYSTEM_TRUST_FIXES,
  withFixes,
} from './connection-fault.ts'

const withCode = (code: unknown, cause?: unknown) => Object.assign(new Error('x', { cause }), { code })

test.each([
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'not-tls'],
  ['ERR_SSL_HTTP_REQUEST', 'http-to-tls'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls-version'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unverified'],
  ['CERT_HAS_EXPIRED', 'expired'],
  ['CERT_NOT_YET_VALID', 'not-yet-valid'],
  ['EE_KEY_TOO_SMALL', 'weak-key'],
  ['ECONNREFUSED', 'refused'],
  ['ENOTFOUND', 'no-host'],
  ['EMFILE', 'no-descriptors'],
  ['toString', undefined],
  [7, undefined],
])('connectionFault of the code %s is %s', (code, id) => {
  expect(connectionFault(withCode(code))?.id).toBe(id)
})

test('connectionFault recognises a short key by its message, as Node has no code for it', () => {
  const unspecified = (text: string) => connectionFault(Object.assign(new Error(text), { code: 'UNSPECIFIED' }))?.id
  expect(unspecified('EE certificate key too weak')).toBe('weak-key')
  expect(unspecified('something else')).toBeUndefined()
})

test('connectionFault unwraps uninformative errors', () => {
  const refused = withCode('ECONNREFUSED')
  expect(connectionFault(new Error('outer', { cause: withCode('ERR_DERP_DIAL_FAILED', refused) }))?.id).toBe('refused')
  expect(connectionFault(new AggregateError([refused]))?.id).toBe('refused')
  expect(connectionFault('ECONNREFUSED')).toBeUndefined()
  const circle: Error & { cause?: unknown } = new Error('circle')
  circle.cause = circle
  expect(connectionFault(circle)).toBeUndefined()
})

test('explainFault returns sentence, detail and remedy', () => {
  expect(explainFault(faultOf('refused'), 'connect ECONNREFUSED 192.0.2.1:443')).toBe(
    'nothing listens there (connect ECONNREFUSED 192.0.2.1:443): check host and port, and that the server is running',
  )
  expect(explainFault(faultOf('not-yet-valid'))).toBe(
    'the certificate is not valid yet: check the clocks of both machines',
  )
})

test.each([
  [
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'self-signed certificate; if the root CA is installed locally, try running Node.js with X',
  ],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
  [
    'ERR_SSL_WRONG_VERSION_NUMBER',
    '40:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../x.c:78:',
  ],
])('explainError keeps of %s what the table does not say', (code, text) => {
  const detail = /\((.*?)\)/.exec(explainError(Object.assign(new Error(text), { code })))?.[1]
  expect(['self-signed certificate', 'wrong version number']).toContain(detail)
})

test('withFixes replaces the fixes that it is given, wherever they stand', () => {
  const untrusted = Object.assign(new Error('unable to verify'), { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' })
  const text = `link to r: ${explainError(untrusted)}; it is tried again`
  expect(text).toContain('--ca')
  const fixed = withFixes(text, SYSTEM_TRUST_FIXES)
  expect(fixed).toMatch(/^link to r: no trusted authority has signed .*NODE_EXTRA_CA_CERTS.*; it is tried again$/)
  expect(fixed).not.toContain('--')
  const refused = explainError(withCode('ECONNREFUSED'))
  expect(withFixes(refused, SYSTEM_TRUST_FIXES)).toBe(refused)
})
