/** Flags for what to serve, and where. */

export const SERVING_FLAGS = {
  a: {
    kind: 'string',
    default: ':443',
    origin: 'original',
    test: 'cli/derper.test.ts',
    help: 'address to serve on, as ":port", "ip:port" or "[ip]:port"; without an IP, all interfaces. Serves TLS if the port is 443, -certmode is manual or -tls is set, otherwise plain HTTP. With -dev the default is 127.0.0.1:3340.',
  },
  c: {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper.test.ts',
    help: 'private key file, created if missing; required unless -dev is set or run as root, when it defaults to /var/lib/derper/derper.key',
  },
  config: {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-sources.test.ts',
    help: 'JSON file that sets any of these flags by name; command line and environment override it',
  },
  derp: {
    kind: 'bool',
    default: 'true',
    origin: 'original',
    test: 'cli/derper-settings.test.ts',
    help: 'whether to relay; if false, only the other services run',
  },
  dev: {
    kind: 'bool',
    default: 'false',
    origin: 'original',
    test: 'cli/derper.test.ts',
    help: 'development mode: plain HTTP on loopback port 3340 with a fresh key, and STUN on loopback; the mesh key is read from TAILSCALE_DERPER_MESH_KEY',
  },
  home: {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper.test.ts',
    help: 'what to serve at /: empty for a page that says what this is, "blank", "404" for none, or a URL to redirect to',
  },
  'http-port': {
    kind: 'int',
    default: '80',
    origin: 'original',
    test: 'cli/derper-settings.test.ts',
    help: 'port for plain HTTP beside TLS, on the IP of -a; 0 picks a free one, -1 disables it',
  },
  version: {
    kind: 'bool',
    default: 'false',
    origin: 'original',
    test: 'cli/derper.test.ts',
    help: 'print version, commit and runtime, and exit',
  },
} as const
