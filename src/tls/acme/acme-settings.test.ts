import { expect, test } from 'vitest'
import { ACME_DIRECTORIES, type AcmeSettings, acmeAccount, assertAcmeSettings } from './acme-settings.ts'

const settings: AcmeSettings = {
  mode: 'letsencrypt',
  directory: '/certs',
  hostname: 'relay.test',
  ipCerts: false,
  ipAddresses: [],
}
const gcp = { mode: 'gcp', eabKeyId: 'kid', eabKey: 'c2VjcmV0', email: 'ops@relay.test' } as const

test.each<[string, Partial<AcmeSettings>]>([
  ['a name', {}],
  ['an IP address with -acme-ip-certs', { hostname: '192.0.2.1', ipCerts: true }],
  ['a name and IP addresses', { ipCerts: true, ipAddresses: ['192.0.2.1', '2001:db8::1'] }],
  ['gcp', gcp],
  ['a key of the URL alphabet, unpadded', { ...gcp, eabKey: 'zW_-Z' + 'M6' }],
  ['a key of the other alphabet, padded', { ...gcp, eabKey: 'zW+/ZA==' }],
  ['a directory', { directoryUrl: 'https://acme.test/dir' }],
  ['flags left empty', { directoryUrl: '', email: '', eabKeyId: '', eabKey: '' }],
])('assertAcmeSettings accepts %s (P-147, P-148)', (_, change) => {
  expect(() => assertAcmeSettings({ ...settings, ...change })).not.toThrow()
})

test.each<[Partial<AcmeSettings>, RegExp]>([
  [{ directory: '' }, /-certdir is not given/],
  [{ hostname: '' }, /-hostname is not given/],
  [{ ...gcp, ipCerts: true }, /-acme-ip-certs; needs -certmode letsencrypt/],
  [{ hostname: '192.0.2.1' }, /-hostname 192\.0\.2\.1 is an IP address; .*-acme-ip-certs/],
  [{ ...gcp, hostname: '192.0.2.1' }, /-hostname 192\.0\.2\.1 is an IP address/],
  [{ ...gcp, eabKeyId: '', eabKey: '' }, /needs -acme-eab-kid and -acme-eab-key/],
  [{ ...gcp, eabKey: '' }, /only one of -acme-eab-kid and -acme-eab-key/],
  [{ eabKey: 'c2VjcmV0' }, /only one of -acme-eab-kid and -acme-eab-key/],
  [{ ...gcp, email: '' }, /needs -acme-email/],
  [{ ...gcp, eabKey: 'not base64!' }, /-acme-eab-key is not base64/],
  [{ ...gcp, eabKey: 'abcde' }, /-acme-eab-key is not base64/],
  [{ ipCerts: true, ipAddresses: ['192.0.2'] }, /-acme-ips has "192\.0\.2"/],
  [{ directoryUrl: 'acme.test/dir' }, /-acme-directory "acme\.test\/dir" is not an http or https URL/],
  [{ directoryUrl: 'ftp://acme.test/dir' }, /is not an http or https URL/],
])('assertAcmeSettings refuses %j and names the flag (P-147, P-148)', (change, message) => {
  expect(() => assertAcmeSettings({ ...settings, ...change })).toThrow(message)
})

test('assertAcmeSettings never shows the key (P-147)', () => {
  const eabKey = 'secret secret!'
  expect(() => assertAcmeSettings({ ...settings, ...gcp, eabKey })).toThrow(/^(?!.*secret)/)
})

test('acmeAccount knows the directory of each mode, and accepts another (P-147)', () => {
  expect(acmeAccount(settings)).toMatchObject({ directoryUrl: ACME_DIRECTORIES.letsencrypt, binding: undefined })
  expect(acmeAccount({ ...settings, ...gcp })).toMatchObject({
    directoryUrl: ACME_DIRECTORIES.gcp,
    email: 'ops@relay.test',
    binding: { keyId: 'kid', hmacKey: 'c2VjcmV0' },
  })
  expect(acmeAccount({ ...settings, directoryUrl: 'https://a.test/' }).directoryUrl).toBe('https://a.test/')
})
