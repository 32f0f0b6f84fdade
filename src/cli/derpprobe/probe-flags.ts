/** The flags of `derpprobe`: those of the original's newest release, and ours. */

import type { FlagSpec, FlagTable } from '../go-flags.ts'

const SETEC = 'setec servers are not supported; put the mesh key into a file and name it with -mesh-psk-file'

/** Flags for what to probe. */
const PROBE_FLAGS = {
  'derp-map': {
    kind: 'string',
    default: 'https://login.tailscale.com/derpmap/default',
    help: "DERP map: a URL (https:// or file://), a file, or 'local' for the map of the local tailscaled",
  },
  'region-code': {
    kind: 'string',
    default: '',
    help: "probe only this region (e.g. 'lax' or '17'); empty for all",
  },
  interval: { kind: 'duration', default: '15s', help: 'interval at which the DERP map is fetched' },
  'tls-interval': { kind: 'duration', default: '15s', help: 'TLS probe interval; 0 for none' },
  'stun-interval': { kind: 'duration', default: '15s', help: 'STUN probe interval; 0 for none' },
  'mesh-interval': { kind: 'duration', default: '15s', help: 'mesh probe interval; 0 for none' },
  'bw-interval': { kind: 'duration', default: '0s', help: 'bandwidth probe interval; 0 for none' },
  'bw-probe-size-bytes': { kind: 'int', default: '1000000', help: 'bytes of one bandwidth probe' },
  'bw-tun-ipv4-addr': {
    kind: 'string',
    default: '',
    help: 'refused: not supported',
    refused: 'needs a TUN device, which Node cannot make; without the flag, bandwidth is probed by packets of DERP',
  },
  'qd-packets-per-second': {
    kind: 'int',
    default: '0',
    help: 'above 0, the queuing delay is measured all the time by so many packets of 260 bytes per second',
  },
  'qd-packet-timeout': {
    kind: 'duration',
    default: '5s',
    help: 'queuing delay packets that take longer count as dropped',
  },
  spread: {
    kind: 'bool',
    default: 'true',
    help: 'spread first runs over the interval of each probe; ignored with -once',
  },
} as const satisfies FlagTable

/** Flags for what to send to relays. */
const IDENTITY_FLAGS = {
  'mesh-psk-file': {
    kind: 'string',
    default: '',
    help: 'file with the mesh key (64 hexadecimal digits), with which relays admit the prober whatever their rules',
  },
  dev: { kind: 'bool', default: 'false', help: 'take the mesh key from the variable TAILSCALE_DERPER_MESH_KEY' },
  'key-file': {
    kind: 'string',
    default: '',
    help: 'two private key files, separated by a comma, of the sender and the receiver, for relays that admit only known keys; created if missing. Probes that log in then run one at a time',
  },
  token: {
    kind: 'string',
    default: '',
    secret: true,
    help: 'bearer token, for relays that admit clients by token',
  },
  ca: { kind: 'string', default: '', help: 'PEM file with CAs to trust besides those of the system' },
  'secrets-url': { kind: 'string', default: '', help: 'refused: not supported', refused: SETEC },
  'secrets-path-prefix': { kind: 'string', default: 'prod/derp', help: 'refused: not supported', refused: SETEC },
  'secrets-cache-dir': { kind: 'string', default: '', help: 'refused: not supported', refused: SETEC },
} as const satisfies FlagTable

/** Flags for the output. */
const RESULT_FLAGS = {
  once: { kind: 'bool', default: 'false', help: 'probe once, print the results, exit with 1 if any probe failed' },
  format: {
    kind: 'string',
    default: 'text',
    help: 'results of -once: text (lines good: and bad:), json (docs/derpprobe.schema.json), or junit',
  },
  listen: { kind: 'string', default: ':8030', help: 'HTTP listen address; ignored with -once' },
  'debug-allow': {
    kind: 'string',
    default: '',
    help: 'comma-separated addresses and CIDR blocks that may see /debug/ and use /probe, besides this machine and the tailnet',
  },
  'log-format': {
    kind: 'string',
    default: '',
    help: 'format of the log on standard error: text or json; empty for text on a terminal and json elsewhere',
  },
  'log-level': { kind: 'string', default: 'info', help: 'debug, info, warn or error' },
  version: { kind: 'bool', default: 'false', help: 'print version, commit and runtime, and exit' },
} as const satisfies FlagTable

export const DERPPROBE_FLAGS = { ...PROBE_FLAGS, ...IDENTITY_FLAGS, ...RESULT_FLAGS } as const

export const DERPPROBE_SECTIONS: readonly {
  readonly title: string
  readonly flags: Readonly<Record<string, FlagSpec>>
}[] = [
  { title: 'Probes', flags: PROBE_FLAGS },
  { title: 'Identity', flags: IDENTITY_FLAGS },
  { title: 'Results', flags: RESULT_FLAGS },
]
