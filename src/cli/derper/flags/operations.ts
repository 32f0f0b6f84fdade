/** Flags for running the daemon. */

export const OPERATION_FLAGS = {
  group: {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-account.test.ts',
    help: "group to run as, by name or number; needs -user; empty for that user's group",
  },
  'health-frames': {
    kind: 'bool',
    default: 'false',
    origin: 'ours',
    test: 'cli/derper-settings.test.ts',
    help: 'tell clients when their key is connected twice or they are rate-limited; the original never does',
  },
  'log-format': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-log.test.ts',
    help: 'format of the log on standard error: text or json; empty for text on a terminal and json elsewhere',
  },
  'log-level': {
    kind: 'string',
    default: 'info',
    origin: 'ours',
    live: true,
    test: 'cli/derper-settings.test.ts',
    help: 'minimum log level: debug, info, warn or error',
  },
  'ping-clients': {
    kind: 'duration',
    default: '0s',
    origin: 'ours',
    test: 'cli/derper-settings.test.ts',
    help: 'interval for pinging clients that support it, to measure round-trip time; 0 for never, as in the original',
  },
  workers: {
    kind: 'string',
    default: '1',
    origin: 'ours',
    test: 'cli/derper-workers.test.ts',
    help: 'threads that serve clients, each listening on the same port: 1 to 64, or "auto" for as many as the machine can run in parallel; 1 to use only the main thread',
  },
  user: {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-account.test.ts',
    help: 'user to run as once ports are bound and keys are read, by name or number; only root can switch; empty to stay the current user',
  },
} as const
