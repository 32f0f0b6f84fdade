/** The flags of `derper`, under the names of the original where it has them. */

/** Where the original keeps its key when it runs as root. */
export const ROOT_KEY_FILE = '/var/lib/derper/derper.key'

export const DERPER_FLAGS = {
  a: {
    kind: 'string',
    default: ':443',
    help: 'address to serve on, as ":port", "ip:port" or "[ip]:port"; without an IP, all interfaces. TLS if the port is 443 or -certmode is manual, else plain HTTP. With -dev the default is 127.0.0.1:3340.',
  },
  'admission-memory': {
    kind: 'duration',
    default: '0s',
    help: 'how long a client that was let in stays welcome while tailscaled or the admission URL cannot be asked; 0 for not at all, as the original',
  },
  'allow-keys-file': {
    kind: 'string',
    default: '',
    help: 'file with the public keys of clients that are let in, one a line, whatever tailscaled and the admission URL say; changes apply within seconds',
  },
  'bootstrap-dns-names': {
    kind: 'string',
    default: '',
    help: 'names with commas between them whose addresses /bootstrap-dns tells everybody',
  },
  c: {
    kind: 'string',
    default: '',
    help: 'file with the private key, made if missing; needed without -dev unless run as root, then /var/lib/derper/derper.key',
  },
  certdir: {
    kind: 'string',
    default: '',
    help: 'directory of certificates: HOSTNAME.crt and HOSTNAME.key; for an IP address they are made if missing',
  },
  certmode: {
    kind: 'string',
    default: '',
    help: 'where certificates come from: "manual" takes them from -certdir; needed to serve TLS',
  },
  config: {
    kind: 'string',
    default: '',
    help: 'JSON file that sets any of these flags by its name; flags and environment win over it',
  },
  'deny-keys-file': {
    kind: 'string',
    default: '',
    help: 'file with the public keys of clients that are not let in, one a line; changes apply within seconds and end their connections',
  },
  derp: { kind: 'bool', default: 'true', help: 'whether to relay; without it only the other services run' },
  dev: {
    kind: 'bool',
    default: 'false',
    help: 'development mode: plain HTTP on loopback port 3340 with a fresh key, and STUN on loopback; the mesh key is taken from TAILSCALE_DERPER_MESH_KEY',
  },
  'health-frames': {
    kind: 'bool',
    default: 'false',
    help: 'tell clients when they are connected twice or being slowed down; the original never does',
  },
  home: {
    kind: 'string',
    default: '',
    help: 'what to serve at /: empty for a page that says what this is, "blank", or a URL to redirect to',
  },
  hostname: { kind: 'string', default: '', help: 'host name or IP address that clients connect to, for TLS' },
  'http-port': {
    kind: 'int',
    default: '80',
    help: 'port for plain HTTP beside TLS, on the IP of -a; 0 chooses a free one, -1 turns it off',
  },
  'log-level': { kind: 'string', default: 'info', help: 'least level of what is logged: debug, info, warn or error' },
  'mesh-psk-file': {
    kind: 'string',
    default: '',
    help: 'file with the mesh key, 64 lower-case hex digits; white space around it is trimmed',
  },
  'mesh-with': {
    kind: 'string',
    default: '',
    help: 'relays of the same region to link to, with commas between them, each "host" or "host/dialhost" to connect elsewhere; this relay may be among them; needs the mesh key',
  },
  'ping-clients': {
    kind: 'duration',
    default: '0s',
    help: 'how often to ping clients that answer, for their round-trip time; 0 for never, as the original',
  },
  'rate-config': {
    kind: 'string',
    default: '',
    help: 'JSON file that limits what each client sends: PerClientRateLimitBytesPerSec and PerClientRateBurstBytes; read again on SIGHUP',
  },
  socket: {
    kind: 'string',
    default: '',
    help: 'socket of the tailscaled that -verify-clients asks; empty for the usual one',
  },
  stun: { kind: 'bool', default: 'true', help: 'whether to answer STUN, on the IP of -a' },
  'stun-port': { kind: 'int', default: '3478', help: 'UDP port for STUN; 0 chooses a free one' },
  'tcp-write-timeout': {
    kind: 'duration',
    default: '2s',
    help: 'how long a client may take for one write before it is disconnected; 0 for no limit; siblings of a mesh have 30s',
  },
  'tokens-file': {
    kind: 'string',
    default: '',
    help: 'file with a name and a bearer token on each line, or sha256: and its hash; clients that send one are let in, whatever tailscaled and the admission URL say',
  },
  'unpublished-bootstrap-dns-names': {
    kind: 'string',
    default: '',
    help: 'names that /bootstrap-dns tells only whoever asks for them; "name/record" for a share of clients in per cent, taken from that TXT record',
  },
  'verify-client-url': {
    kind: 'string',
    default: '',
    help: 'URL that must agree to each client: it is sent a POST with key and address',
  },
  'verify-client-url-fail-open': {
    kind: 'bool',
    default: 'true',
    help: 'whether clients are let in when -verify-client-url cannot be reached',
  },
  'verify-clients': {
    kind: 'bool',
    default: 'false',
    help: 'let in only nodes that the tailscaled on this machine knows',
  },
  version: { kind: 'bool', default: 'false', help: 'print the version and exit' },
} as const
