/** Flags of a region of relays over NATS. */

export const REGION_FLAGS = {
  region: {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-region.test.ts',
    help: 'name of the region of relays to join over NATS, the same on all of them; needs -nats and the mesh key, and one worker. Empty for none.',
  },
  nats: {
    kind: 'string',
    default: '',
    secret: true,
    origin: 'ours',
    test: 'cli/derper-region.test.ts',
    help: 'comma-separated URLs of all NATS servers to use, such as nats://a.example:4222; tls: requires TLS; user and password may be part of them',
  },
  'nats-creds': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-region.test.ts',
    help: 'file with NATS credentials, a user JWT and its seed; read at each connection attempt',
  },
  'nats-tls-ca': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-region.test.ts',
    help: 'PEM file with the CA certificates to trust for -nats, which then requires TLS; empty for those of the system',
  },
  'nats-tls-cert': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-region.test.ts',
    help: 'PEM file with a client certificate for -nats; needs -nats-tls-key',
  },
  'nats-tls-key': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-region.test.ts',
    help: 'PEM file with the private key of -nats-tls-cert',
  },
  'region-url': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-region.test.ts',
    help: 'https URL at which the other relays of the region reach this one, with -dev also http; it must lead to this relay only. Empty for https://HOSTNAME:PORT/derp.',
  },
} as const
