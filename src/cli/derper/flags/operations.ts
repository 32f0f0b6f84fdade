/** Flags for running the daemon and watching it. */

export const OPERATION_FLAGS = {
  group: {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-account.test.ts',
    help: 'group to run as, by name or number; needs -user; empty for that of the user',
  },
  'health-frames': {
    kind: 'bool',
    default: 'false',
    origin: 'ours',
    test: 'cli/derper-settings.test.ts',
    help: 'tell clients when they are connected twice or being slowed down; the original never does',
  },
  'log-level': {
    kind: 'string',
    default: 'info',
    origin: 'ours',
    live: true,
    test: 'cli/derper-settings.test.ts',
    help: 'least level of what is logged: debug, info, warn or error',
  },
  'ping-clients': {
    kind: 'duration',
    default: '0s',
    origin: 'ours',
    test: 'cli/derper-settings.test.ts',
    help: 'how often to ping clients that answer, for their round-trip time; 0 for never, as the original',
  },
  workers: {
    kind: 'string',
    default: '1',
    origin: 'ours',
    test: 'cli/derper-workers.test.ts',
    help: 'threads that serve clients, each with its own listener on the same port: a number from 1 to 64, or "auto" for as many as the machine runs at once; 1 for all on the main thread',
  },
  user: {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-account.test.ts',
    help: 'user to run as once ports are bound and keys are read, by name or number; only root can; empty to stay who started it',
  },
} as const
