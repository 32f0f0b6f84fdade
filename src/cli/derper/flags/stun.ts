/** Flags for STUN. */

export const STUN_FLAGS = {
  stun: {
    kind: 'bool',
    default: 'true',
    origin: 'original',
    test: 'cli/derper-stun.test.ts',
    help: 'whether to serve STUN, on -stun-ip or the IP of -a',
  },
  'stun-ip': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-stun.test.ts',
    help: 'IP address to serve STUN on, such as :: for all interfaces where -a is for a proxy on this machine; empty for that of -a',
  },
  'stun-port': {
    kind: 'int',
    default: '3478',
    origin: 'original',
    test: 'cli/derper-stun.test.ts',
    help: 'UDP port for STUN; 0 picks a free one',
  },
  'stun-plain': {
    kind: 'bool',
    default: 'false',
    origin: 'ours',
    test: 'cli/derper-stun.test.ts',
    help: 'whether to answer any STUN client (RFC 5389), not only nodes',
  },
  'stun-rate-limit': {
    kind: 'float',
    default: '0',
    origin: 'ours',
    test: 'cli/derper-stun.test.ts',
    help: 'replies per second per source address; 0 for no limit, as in the original',
  },
  'stun-rate-burst': {
    kind: 'int',
    default: '20',
    origin: 'ours',
    test: 'cli/derper-stun.test.ts',
    help: 'burst of -stun-rate-limit',
  },
} as const
