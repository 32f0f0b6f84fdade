/** Flags for the listener of metrics and health (P-172, P-173). */

export const METRICS_FLAGS = {
  'metrics-addr': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-metrics.test.ts',
    help: 'address of a listener of its own for /metrics, /debug/vars, /healthz and /readyz over plain HTTP, such as 127.0.0.1:9340; empty for none. Off loopback, -metrics-token or -metrics-allow is needed',
  },
  'metrics-allow': {
    kind: 'string',
    default: '',
    origin: 'ours',
    live: true,
    test: 'cli/derper-metrics.test.ts',
    help: 'addresses, and blocks of them such as 10.0.0.0/8, that may read the metrics without a token, with commas between them',
  },
  'metrics-token': {
    kind: 'string',
    default: '',
    secret: true,
    origin: 'ours',
    live: true,
    test: 'cli/derper-metrics.test.ts',
    help: 'bearer token that gives access to the metrics from anywhere, of 16 characters or more',
  },
} as const
