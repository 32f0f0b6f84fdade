/** Flags for a relay behind proxies. */

export const PROXY_FLAGS = {
  'trusted-proxies': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-proxies.test.ts',
    help: 'comma-separated addresses and CIDR blocks of your own proxies, whose X-Forwarded-For is trusted to name the client',
  },
  'proxy-protocol': {
    kind: 'bool',
    default: 'false',
    origin: 'ours',
    test: 'cli/derper-proxies.test.ts',
    help: 'require a PROXY header, version 1 or 2, on TCP connections from -trusted-proxies; those without one are closed. Other connections are served as usual',
  },
} as const
