/** Shutdown flags (P-174). */

export const ENDING_FLAGS = {
  'drain-deadline': {
    kind: 'duration',
    default: '0s',
    origin: 'ours',
    live: true,
    test: 'cli/derper-ending.test.ts',
    help: 'time from SIGTERM until the remaining connections are closed; 0 for 3s more than -drain-delay plus -drain-time. A service manager must allow more than that before it kills',
  },
  'drain-delay': {
    kind: 'duration',
    default: '0s',
    origin: 'ours',
    live: true,
    test: 'cli/derper-ending.test.ts',
    help: 'time after SIGTERM during which clients are still accepted while /readyz is unready, so that a load balancer notices first',
  },
  'drain-time': {
    kind: 'duration',
    default: '5s',
    origin: 'ours',
    live: true,
    test: 'cli/derper-drain.test.ts',
    help: 'time over which connections are closed one by one on SIGTERM. With -dev the default is 0s',
  },
  'drain-try-for': {
    kind: 'duration',
    default: '3s',
    origin: 'ours',
    live: true,
    test: 'cli/derper-drain.test.ts',
    help: 'how long disconnected clients should retry this relay before moving to another in the region',
  },
} as const
