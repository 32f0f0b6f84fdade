/** Flags for the siblings of a region. */

export const MESH_FLAGS = {
  'mesh-psk-file': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper.test.ts',
    help: 'file with the mesh key, 64 lower-case hex digits; white space around it is trimmed; without it the first of /home/derp/keys/derp-mesh.key and $HOME/keys/derp-mesh.key that is there, as the original, but not with -dev',
  },
  'mesh-with': {
    kind: 'string',
    default: '',
    origin: 'original',
    test: 'cli/derper-mesh.test.ts',
    help: 'relays of the same region to link to, with commas between them, each "host" or "host/dialhost" to connect elsewhere; this relay may be among them; needs the mesh key',
  },
} as const
