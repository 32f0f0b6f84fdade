import { expect, test } from 'vitest'
import { TlsFailedError, tlsFailureReason } from './tls-failure.ts'

const withCode = (code: unknown) => Object.assign(new Error('x'), { code })

test.each([
  ['CERT_HAS_EXPIRED', 'expired'],
  ['CERT_NOT_YET_VALID', 'not-yet-valid'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'untrusted'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'untrusted'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'wrong-name'],
  ['ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR', 'handshake'],
  ['EPROTO', 'handshake'],
  ['ECONNRESET', undefined],
  [7, undefined],
])('tlsFailureReason of %s is %s', (code, reason) => {
  expect(tlsFailureReason(withCode(code))).toBe(reason)
})

test('tlsFailureReason is undefined for other errors', () => {
  expect(tlsFailureReason(new Error('x'))).toBeUndefined()
  expect(tlsFailureReason('CERT_HAS_EXPIRED')).toBeUndefined()
})

test('TlsFailedError has the peer, the reason and the clause', () => {
  const error = new TlsFailedError('wrong-pin', 'relay.test:443', 'certificate has a different SHA-256')
  expect(error).toMatchObject({
    code: 'ERR_DERP_TLS_FAILED',
    reason: 'wrong-pin',
    clause: 'P-144',
    message: 'secure connection to relay.test:443: certificate has a different SHA-256',
  })
})
