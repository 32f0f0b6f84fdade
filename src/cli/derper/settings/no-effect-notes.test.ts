import { expect, test } from 'vitest'
import { parseFlags } from '../../go-flags.ts'
import { DERPER_FLAGS } from '../derper-flags.ts'
import { noEffectNotes } from './no-effect-notes.ts'

function notes(...args: string[]): string[] {
  const flags = parseFlags(DERPER_FLAGS, args)
  if (flags.help) throw new Error('no help was asked for')
  return noEffectNotes(flags.given, flags.values)
}

test.each([
  ['-socket=/run/x.sock', 'socket', '-verify-clients is not set'],
  ['-verify-client-url-fail-open', 'verify-client-url-fail-open', '-verify-client-url is not set'],
  ['-verify-client-url-fail-open=false', 'verify-client-url-fail-open', '-verify-client-url is not set'],
  ['-admission-memory=1h', 'admission-memory', 'neither -verify-clients nor -verify-client-url is set'],
  ['-metrics-token=0123456789abcdef', 'metrics-token', '-metrics-addr is not set'],
  ['-metrics-allow=10.0.0.0/8', 'metrics-allow', '-metrics-addr is not set'],
  ['-stun-rate-burst=5', 'stun-rate-burst', '-stun-rate-limit is not set'],
  ['-mesh-max-clients=5', 'mesh-max-clients', '-mesh-with is not set'],
  ['-acme-ips=192.0.2.1', 'acme-ips', '-acme-ip-certs is not set'],
  ['-accept-connection-burst=1', 'accept-connection-burst', '-accept-connection-limit is not set'],
  [
    '-accept-connection-burst-per-source=1',
    'accept-connection-burst-per-source',
    '-accept-connection-limit-per-source is not set',
  ],
  [
    '-tcp-user-timeout=1s',
    'tcp-user-timeout',
    'neither Node nor Bun can set this option; -tcp-write-timeout disconnects clients that stop reading',
  ],
])('noEffectNotes names %s (P-106)', (flag, name, reason) => {
  expect(notes(flag)).toEqual([`-${name} has no effect: ${reason}`])
})

test('noEffectNotes names each flag of what is switched off', () => {
  expect(notes('-stun=false', '-stun-port=1', '-stun-plain')).toEqual([
    '-stun-plain has no effect: -stun=false',
    '-stun-port has no effect: -stun=false',
  ])
  expect(notes('-derp=false', '-verify-clients', '-max-clients=3', '-total-rate=100000')).toEqual([
    '-max-clients has no effect: -derp=false, so there are no clients',
    '-total-rate has no effect: -derp=false, so there are no clients',
    '-verify-clients has no effect: -derp=false, so there are no clients',
  ])
})

test.each([
  [['-verify-clients', '-socket=/run/x.sock', '-admission-memory=1h']],
  [['-verify-client-url=http://x.test', '-verify-client-url-fail-open=false', '-admission-memory=1h']],
  [['-metrics-addr=:9', '-metrics-token=0123456789abcdef']],
  [['-stun-port=1', '-stun-rate-limit=1', '-stun-rate-burst=2']],
  [['-accept-connection-limit=1', '-accept-connection-burst=1', '-max-clients=1']],
  // As templates of units and containers set them.
  [['-socket=', '-metrics-token=', '-stun-plain=false', '-derp=false', '-verify-clients=false']],
])('noEffectNotes has nothing to say of %j', args => {
  expect(notes(...args)).toEqual([])
})
