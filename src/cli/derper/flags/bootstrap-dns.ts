/** Flags for bootstrap DNS. */

export const BOOTSTRAP_DNS_FLAGS = {
  'bootstrap-dns-names': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-access.test.ts',
    help: 'names with commas between them whose addresses /bootstrap-dns tells everybody',
  },
  'unpublished-bootstrap-dns-names': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-access.test.ts',
    help: 'names that /bootstrap-dns tells only whoever asks for them; "name/record" for a share of clients in per cent, taken from that TXT record',
  },
} as const
