/** Flags for how the daemon ends (P-174). */

export const ENDING_FLAGS = {
  'drain-deadline': {
    kind: 'duration',
    default: '0s',
    origin: 'ours',
    live: true,
    test: 'cli/derper-ending.test.ts',
    help: 'time from SIGTERM to the end, at which the connections that are left are cut; 0 for 3s more than -drain-delay and -drain-time. Give a service manager more than that before it kills',
  },
  'drain-delay': {
    kind: 'duration',
    default: '0s',
    origin: 'ours',
    live: true,
    test: 'cli/derper-ending.test.ts',
    help: 'time from SIGTERM for which clients are still taken while /readyz says no, so that a load balancer notices first',
  },
  'drain-time': {
    kind: 'duration',
    default: '5s',
    origin: 'ours',
    live: true,
    test: 'cli/derper-drain.test.ts',
    help: 'time over which connections are ended one after the other on SIGTERM. With -dev the default is 0s',
  },
  'drain-try-for': {
    kind: 'duration',
    default: '3s',
    origin: 'ours',
    live: true,
    test: 'cli/derper-drain.test.ts',
    help: 'how long clients that are being sent away shall try this relay again, before they go to another of the region',
  },
} as const
