/** Flags that bound what clients may use. */

export const LIMIT_FLAGS = {
  'rate-config': {
    kind: 'string',
    default: '',
    origin: 'newer',
    live: true,
    test: 'cli/derper-settings.test.ts',
    help: 'JSON file that limits what each client sends: PerClientRateLimitBytesPerSec and PerClientRateBurstBytes; read again on SIGHUP',
  },
  'tcp-write-timeout': {
    kind: 'duration',
    default: '2s',
    origin: 'original',
    test: 'cli/derper-settings.test.ts',
    help: 'how long a client may take for one write before it is disconnected; 0 for no limit; siblings of a mesh have 30s',
  },
} as const
