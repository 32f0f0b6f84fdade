/** Flags of the original that only make sense inside Tailscale: known, so that the refusal can say why. */

export const REFUSED_FLAGS = {
  ace: {
    kind: 'bool',
    default: 'false',
    origin: 'newer',
    test: 'cli/derper-refusals.test.ts',
    refused: 'it turns on a server that only Tailscale has clients for; leave it out',
    help: 'refused: an experiment of the original, for Tailscale only',
  },
  'secrets-cache-dir': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-refusals.test.ts',
    refused:
      'it needs setec, the secrets server of Tailscale; put the mesh key into a file and name it by -mesh-psk-file',
    help: 'refused: needs setec, the secrets server of Tailscale',
  },
  'secrets-path-prefix': {
    kind: 'string',
    default: 'prod/derp',
    origin: 'original',
    test: 'cli/derper-refusals.test.ts',
    refused:
      'it needs setec, the secrets server of Tailscale; put the mesh key into a file and name it by -mesh-psk-file',
    help: 'refused: needs setec, the secrets server of Tailscale',
  },
  'secrets-url': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-refusals.test.ts',
    refused:
      'it needs setec, the secrets server of Tailscale; put the mesh key into a file and name it by -mesh-psk-file',
    help: 'refused: needs setec, the secrets server of Tailscale; -mesh-psk-file takes a file',
  },
} as const
