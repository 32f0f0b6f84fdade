/** Given flags that have no effect with the other flags. */

import type { DerperFlagValues } from '../derper-flags.ts'

interface Condition {
  readonly flags: readonly (keyof DerperFlagValues)[]
  /** Whether they have an effect. */
  readonly isMet: (flags: DerperFlagValues, given: ReadonlySet<string>) => boolean
  /** Why they have none. */
  readonly reason: string
}

const CONDITIONS: readonly Condition[] = [
  {
    flags: [
      'allow-keys-file',
      'deny-keys-file',
      'disallow-app-names',
      'health-frames',
      'max-clients',
      'max-queued-bytes',
      'ping-clients',
      'rate-config',
      'tcp-write-timeout',
      'tokens-file',
      'total-rate',
      'verify-client-url',
      'verify-clients',
    ],
    isMet: ({ derp }) => derp,
    reason: '-derp=false, so there are no clients',
  },
  { flags: ['socket'], isMet: flags => flags['verify-clients'], reason: '-verify-clients is not set' },
  {
    flags: ['verify-client-url-fail-open'],
    isMet: flags => flags['verify-client-url'] !== '',
    reason: '-verify-client-url is not set',
  },
  {
    flags: ['admission-memory'],
    isMet: flags => flags['verify-clients'] || flags['verify-client-url'] !== '',
    reason: 'neither -verify-clients nor -verify-client-url is set',
  },
  {
    flags: ['metrics-allow', 'metrics-token'],
    isMet: flags => flags['metrics-addr'] !== '',
    reason: '-metrics-addr is not set',
  },
  {
    flags: ['stun-ip', 'stun-plain', 'stun-port', 'stun-rate-burst', 'stun-rate-limit'],
    isMet: ({ stun }) => stun,
    reason: '-stun=false',
  },
  {
    flags: ['stun-rate-burst'],
    isMet: flags => flags['stun-rate-limit'] > 0,
    reason: '-stun-rate-limit is not set',
  },
  { flags: ['mesh-max-clients'], isMet: flags => flags['mesh-with'] !== '', reason: '-mesh-with is not set' },
  {
    flags: ['nats', 'nats-creds', 'nats-tls-ca', 'nats-tls-cert', 'nats-tls-key', 'region-url'],
    isMet: ({ region }) => region !== '',
    reason: '-region is not set',
  },
  { flags: ['acme-ips'], isMet: flags => flags['acme-ip-certs'], reason: '-acme-ip-certs is not set' },
  {
    flags: ['accept-connection-burst'],
    isMet: (_, given) => given.has('accept-connection-limit'),
    reason: '-accept-connection-limit is not set',
  },
  {
    flags: ['accept-connection-burst-per-source'],
    isMet: (_, given) => given.has('accept-connection-limit-per-source'),
    reason: '-accept-connection-limit-per-source is not set',
  },
  {
    flags: ['tcp-user-timeout'],
    isMet: () => false,
    reason: 'neither Node nor Bun can set this option; -tcp-write-timeout disconnects clients that stop reading',
  },
]

/** One line per flag, except empty texts and disabled switches. */
export function noEffectNotes(given: ReadonlySet<string>, flags: DerperFlagValues): string[] {
  const isSet = (name: keyof DerperFlagValues) =>
    given.has(name) && flags[name] !== '' && (flags[name] !== false || name === 'verify-client-url-fail-open')
  return CONDITIONS.filter(({ isMet }) => !isMet(flags, given)).flatMap(({ flags: names, reason }) =>
    names.filter(isSet).map(name => `-${name} has no effect: ${reason}`),
  )
}
