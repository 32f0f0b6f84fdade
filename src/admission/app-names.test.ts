import { expect, test } from 'vitest'
import { requestOf } from '../../test/support/admission.ts'
import { DeniedAppNames } from './app-names.ts'

const from = (appName?: string) => {
  const request = requestOf()
  return { ...request, info: { ...request.info, ...(appName !== undefined && { appName }) } }
}

test('DeniedAppNames refuses the given names, and no client without a name (P-040)', async () => {
  const policy = new DeniedAppNames(['old app', 'other'])
  expect(await policy.admit(from('old app'))).toEqual({
    admit: false,
    cause: 'app_name_denied',
    reason: 'application "old app" is denied',
  })
  expect(await policy.admit(from('Old app'))).toEqual({ admit: true, by: '' })
  expect(await policy.admit(from())).toEqual({ admit: true, by: '' })
})
