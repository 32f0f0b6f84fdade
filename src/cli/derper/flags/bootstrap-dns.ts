/** Flags for bootstrap DNS. */

export const BOOTSTRAP_DNS_FLAGS = {
  'bootstrap-dns-names': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-access.test.ts',
    help: 'comma-separated names whose addresses /bootstrap-dns returns to everyone',
  },
  'unpublished-bootstrap-dns-names': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-access.test.ts',
    help: 'comma-separated names that /bootstrap-dns returns only when asked for by name; "name/record" for the percentage of clients given by that TXT record',
  },
} as const
