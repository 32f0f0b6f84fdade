/** Flags for who may connect. */

export const ADMISSION_FLAGS = {
  'verify-clients': {
    kind: 'bool',
    default: 'false',
    origin: 'original',
    test: 'cli/derper-access.test.ts',
    help: 'let in only nodes that the tailscaled on this machine knows',
  },
  socket: {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-access.test.ts',
    help: 'socket of the tailscaled that -verify-clients asks; empty for the usual one',
  },
  'verify-client-url': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-access.test.ts',
    secret: true,
    help: 'URL that must agree to each client: it is sent a POST with key and address; user name and password in it are sent along',
  },
  'verify-client-url-fail-open': {
    kind: 'bool',
    default: 'true',
    origin: 'original',
    test: 'cli/derper-access.test.ts',
    help: 'whether clients are let in when -verify-client-url cannot be reached',
  },
  'admission-memory': {
    kind: 'duration',
    default: '0s',
    origin: 'ours',
    test: 'cli/derper-access.test.ts',
    help: 'how long a client that was let in stays welcome while tailscaled or the admission URL cannot be asked; 0 for not at all, as the original',
  },
  'allow-keys-file': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-access.test.ts',
    help: 'file with the public keys of clients that are let in, one a line, whatever tailscaled and the admission URL say; changes apply within seconds',
  },
  'deny-keys-file': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-access.test.ts',
    help: 'file with the public keys of clients that are not let in, one a line; changes apply within seconds and end their connections',
  },
  'tokens-file': {
    kind: 'string',
    default: '',
    origin: 'ours',
    test: 'cli/derper-access.test.ts',
    help: 'file with a name and a bearer token on each line, or sha256: and its hash; clients that send one are let in, whatever tailscaled and the admission URL say',
  },
  'disallow-app-names': {
    kind: 'string',
    default: '',
    origin: 'newer',
    test: 'cli/derper-access.test.ts',
    help: 'application names with commas between them; clients that call themselves one of these are not let in',
  },
} as const
