/** Mesh flags. */

export const MESH_FLAGS = {
  'mesh-psk-file': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper.test.ts',
    help: 'file with the mesh key, 64 lower-case hex digits, surrounding white space ignored. Default, except with -dev: the first that exists of /home/derp/keys/derp-mesh.key and $HOME/keys/derp-mesh.key, as in the original',
  },
  'mesh-with': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-mesh.test.ts',
    help: 'comma-separated relays of the same region to link to, each "host" or "host/dialhost" to dial another address; may include this relay; needs the mesh key',
  },
  'mesh-max-clients': {
    kind: 'int',
    default: '500000',
    origin: 'ours',
    test: 'cli/derper-mesh-limit.test.ts',
    help: 'clients that one mesh peer may announce; a link with more is closed, and dialled again after a minute. 0 for no limit.',
  },
} as const
