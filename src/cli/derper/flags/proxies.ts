/** Flags for a relay behind proxies. */

export const PROXY_FLAGS = {
  'trusted-proxies': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-proxies.test.ts',
    help: 'addresses and CIDR blocks of your own proxies, with commas between them: whom their X-Forwarded-For names is then taken for the client',
  },
  'proxy-protocol': {
    kind: 'bool',
    default: 'false',
    origin: 'ours',
    test: 'cli/derper-proxies.test.ts',
    help: 'whether each TCP connection from -trusted-proxies begins with a PROXY header, version 1 or 2, that names the client; one without is closed, and all others are served as they are',
  },
} as const
