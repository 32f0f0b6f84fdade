/** Flags of the metrics listener (P-172, P-173). */

export const METRICS_FLAGS = {
  'metrics-addr': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-metrics.test.ts',
    help: 'address of a separate plain HTTP listener for /metrics, /debug/vars, /healthz and /readyz, such as 127.0.0.1:9340; empty for none. Off loopback, -metrics-token or -metrics-allow is required',
  },
  'metrics-allow': {
    kind: 'string',
    default: '',
    origin: 'ours',
    live: true,
    test: 'cli/derper-metrics.test.ts',
    help: 'comma-separated addresses and CIDR blocks that may read the metrics without a token',
  },
  'metrics-token': {
    kind: 'string',
    default: '',
    secret: true,
    origin: 'ours',
    live: true,
    test: 'cli/derper-metrics.test.ts',
    help: 'bearer token that grants access to the metrics from anywhere; at least 16 characters',
  },
  'status-token-file': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-status.test.ts',
    help: 'file with a token, at least 16 characters, that opens /debug/status from anywhere: as a bearer token, or by its login form; empty to leave the page to those who see /debug/',
  },
} as const
