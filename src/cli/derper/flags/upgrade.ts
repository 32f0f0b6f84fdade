/** Flags for upgrades in place (P-177). */

export const UPGRADE_FLAGS = {
  'control-socket': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-takeover.test.ts',
    help: 'path of a Unix socket, for this user only, through which another derper can take over; all ports are then shared with processes of the same user (SO_REUSEPORT, Linux); empty for none',
  },
  'takeover-timeout': {
    kind: 'duration',
    default: '1m0s',
    origin: 'ours',
    test: 'cli/derper-takeover.test.ts',
    help: 'time for the derper that takes over to become ready; after that it gives up, and the first goes on',
  },
  takeover: {
    kind: 'bool',
    default: 'false',
    origin: 'ours',
    test: 'cli/derper-takeover.test.ts',
    help: 'listen beside the derper behind -control-socket, and once ready have it drain and exit; start as usual if there is none',
  },
} as const
