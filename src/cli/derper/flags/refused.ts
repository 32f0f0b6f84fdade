/** The original's flags that only make sense inside Tailscale, known so that the error can say why. */

export const REFUSED_FLAGS = {
  ace: {
    kind: 'bool',
    default: 'false',
    origin: 'newer',
    test: 'cli/derper-refusals.test.ts',
    refused: 'it enables a server for which only Tailscale has clients; remove it',
    help: 'rejected: an experiment of the original, for Tailscale only',
  },
  'secrets-cache-dir': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-refusals.test.ts',
    refused: "it needs setec, Tailscale's secrets server; put the mesh key into a file and set -mesh-psk-file",
    help: "rejected: needs setec, Tailscale's secrets server",
  },
  'secrets-path-prefix': {
    kind: 'string',
    default: 'prod/derp',
    origin: 'original',
    test: 'cli/derper-refusals.test.ts',
    refused: "it needs setec, Tailscale's secrets server; put the mesh key into a file and set -mesh-psk-file",
    help: "rejected: needs setec, Tailscale's secrets server",
  },
  'secrets-url': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-refusals.test.ts',
    refused: "it needs setec, Tailscale's secrets server; put the mesh key into a file and set -mesh-psk-file",
    help: "rejected: needs setec, Tailscale's secrets server; use -mesh-psk-file",
  },
} as const
