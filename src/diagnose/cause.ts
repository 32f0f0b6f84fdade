/** What can be wrong with a relay: a sentence and a fix for each cause. Pure. */

import { type ConnectionFaultId, type ConnectionFixes, faultOf } from '../lib/connection-fault.ts'

/** Layers of a connection to a relay, bottom up. */
export const LAYERS = ['DNS', 'TCP', 'TLS', 'HTTP', 'upgrade', 'login', 'relaying', 'STUN', 'mesh'] as const

export type Layer = (typeof LAYERS)[number]

export interface Cause {
  readonly id: CauseId
  /** What is wrong, without a final period. */
  readonly sentence: string
  /** How to fix it, without a final period. */
  readonly fix: string
}

/** Causes that only a diagnosis can find. */
export type OwnCauseId =
  | 'sinkholed'
  | 'no-address'
  | 'dns-differs'
  | 'no-ipv6'
  | 'filtered'
  | 'tcp-blocked'
  | 'plain-http'
  | 'other-protocol'
  | 'tls-silent'
  | 'tls-closed'
  | 'clock-off'
  | 'incomplete-chain'
  | 'intercepted'
  | 'wrong-pin'
  | 'pin-with-chain'
  | 'no-certificate'
  | 'client-certificate'
  | 'expires-soon'
  | 'not-http'
  | 'http2-only'
  | 'http-silent'
  | 'http-closed'
  | 'behind-down'
  | 'sign-in'
  | 'redirected'
  | 'other-site'
  | 'wrong-path'
  | 'derp-disabled'
  | 'going-away'
  | 'rate-limited'
  | 'server-error'
  | 'upgrade-stripped'
  | 'websocket-only'
  | 'upgrade-refused'
  | 'upgrade-silent'
  | 'upgrade-closed'
  | 'upgrade-wrong'
  | 'websocket-refused'
  | 'websocket-not-derp'
  | 'no-server-key'
  | 'not-derp'
  | 'closed-after-upgrade'
  | 'key-differs'
  | 'not-admitted'
  | 'new-key-not-admitted'
  | 'login-silent'
  | 'login-broken'
  | 'packet-lost'
  | 'large-packet-lost'
  | 'packet-changed'
  | 'peer-unknown'
  | 'ping-unanswered'
  | 'not-ready'
  | 'degraded'
  | 'connection-lost'
  | 'stun-silent'
  | 'stun-refused'
  | 'stun-wrong-address'
  | 'port80-closed'
  | 'port80-other'
  | 'captive-portal'
  | 'balancer-without-mesh'
  | 'mesh-missing'
  | 'mesh-one-way'
  | 'mesh-key-differs'

/** Texts for {@link OwnCauseId}. */
export const OWN_CAUSES: Readonly<Record<OwnCauseId, readonly [sentence: string, fix: string]>> = {
  sinkholed: [
    'DNS returns an unroutable address',
    'a DNS filter blocks the name: allow it there, or use another DNS server',
  ],
  'no-address': [
    'there is no IPv4 or IPv6 address to try',
    'publish an A or AAAA record, or set an address in the map',
  ],
  'dns-differs': [
    'the map and DNS have different addresses',
    'update IPv4 and IPv6 in the map, or remove them so that clients use DNS',
  ],
  'no-ipv6': [
    'the relay has only IPv6 addresses, and this machine has no IPv6 route',
    'run this from a network with IPv6, or give the relay an IPv4 address too: many clients have no IPv6',
  ],
  filtered: [
    'the port is filtered: connection attempts get no response',
    'open the port in the firewalls of the server and its provider; publish it if the server runs in a container',
  ],
  'tcp-blocked': [
    'STUN works but TCP is blocked',
    'open the TCP port in the firewalls of the server and its provider; publish it if the server runs in a container',
  ],
  'plain-http': [
    'the TLS port serves plain HTTP',
    'if it is meant to, as with -dev, give its http:// URL; Tailscale clients need TLS: enable it on the relay (-certmode and -hostname; derphttp also needs -tls on ports other than 443), or put a TLS proxy in front of it',
  ],
  'other-protocol': ['the port serves a protocol other than TLS', "use the relay's port"],
  'tls-silent': [
    'the port accepts connections, but does not respond to the TLS handshake',
    'restart the server if it hangs; otherwise check for a firewall or proxy that drops data after the connection is established',
  ],
  'tls-closed': [
    'the connection was closed during the TLS handshake',
    "check the server's log; an SNI proxy may not know this name, or a firewall may block it",
  ],
  'clock-off': ["this machine's clock is wrong", 'set it with NTP'],
  'incomplete-chain': [
    'the server does not send the intermediate certificates',
    'configure it to send the full chain (fullchain.pem)',
  ],
  intercepted: [
    'TLS is intercepted: the certificate was issued by a TLS inspection proxy',
    'exempt the relay from TLS inspection',
  ],
  'wrong-pin': [
    'the certificate is not the pinned one',
    'if it was replaced on purpose, pin the new one (derp map make); otherwise the connection is being intercepted',
  ],
  'pin-with-chain': [
    'the server sends other certificates with the pinned one',
    'serve only the pinned certificate: clients reject a pinned certificate with a chain',
  ],
  'no-certificate': ['the server sent no certificate', 'configure one'],
  'client-certificate': [
    'the server requires a client certificate',
    'turn off client certificates for the relay: DERP clients have none',
  ],
  'expires-soon': ['the certificate expires soon', 'renew it; if renewal is automatic, find out why it fails'],
  'not-http': ['the server does not speak HTTP', "use the relay's port"],
  'http2-only': ['the server only speaks HTTP/2', 'enable HTTP/1.1: HTTP/2 connections cannot be upgraded to DERP'],
  'http-silent': [
    'HTTP requests get no response',
    'restart the server if it hangs; otherwise check what the proxy in front of it is waiting for',
  ],
  'http-closed': [
    'the connection is closed without an HTTP response',
    "check the server's log: a connection limit may be reached, or a proxy cannot reach the relay",
  ],
  'behind-down': [
    'a proxy responds, but the relay behind it does not',
    "start the relay, and check the address and port in the proxy's configuration",
  ],
  'sign-in': [
    'a proxy in front of the relay requires a login',
    "exempt the relay's path from authentication: DERP clients cannot log in to a proxy",
  ],
  redirected: [
    'the URL redirects elsewhere',
    "use the address it redirects to, or turn off the redirect for the relay's path",
  ],
  'other-site': [
    'the address belongs to a web server without a relay',
    "use the relay's port, or forward /derp from the web server to the relay",
  ],
  'wrong-path': ['the relay is at another path', 'use the path /derp'],
  'derp-disabled': ['DERP is disabled on the server', 'start it without -derp=false'],
  'going-away': ['the server is shutting down and accepts no connections', 'wait until it has restarted'],
  'rate-limited': ['requests are rate-limited', "raise the proxy's rate limit for the relay's path"],
  'server-error': ['the server returns an error', 'check its log'],
  'upgrade-stripped': [
    'a proxy strips the upgrade to DERP',
    'configure it to forward the Upgrade and Connection headers over HTTP/1.1, or use TCP (SNI) passthrough',
  ],
  'websocket-only': [
    'a proxy forwards WebSocket, but not the upgrade to DERP: browsers can connect, Tailscale clients cannot',
    'use TCP passthrough instead of an HTTP proxy, or a proxy that forwards any Upgrade',
  ],
  'upgrade-refused': ['the upgrade to DERP is refused', 'check the logs of the server and of the proxy in front of it'],
  'upgrade-silent': [
    'the upgrade to DERP gets no response',
    'a proxy may be waiting for a request body: configure it to forward upgrades, or use TCP passthrough',
  ],
  'upgrade-closed': [
    'the connection is closed without a response to the upgrade',
    'a proxy or firewall may reject unknown upgrades: use TCP passthrough',
  ],
  'upgrade-wrong': [
    'the connection was upgraded to another protocol',
    "configure the proxy to forward the relay's response unchanged",
  ],
  'websocket-refused': [
    'the WebSocket upgrade is refused',
    'configure the proxy to forward WebSocket too: browsers need it',
  ],
  'websocket-not-derp': [
    'the WebSocket opens, but does not speak DERP',
    "configure the proxy to forward Sec-WebSocket-Protocol, and the relay's path to the relay",
  ],
  'no-server-key': ['the relay sends nothing after the upgrade', 'a proxy may buffer the data: turn off its buffering'],
  'not-derp': ['the data after the upgrade is not DERP', "configure the proxy to forward the relay's data unchanged"],
  'closed-after-upgrade': [
    'the connection is closed right after the upgrade',
    "check the relay's log; a proxy may close connections whose protocol it does not know",
  ],
  'key-differs': [
    'the server key announced in the certificate is not that of the relay that responds',
    'use TLS passthrough to the relay that responds, or run only one relay behind the proxy',
  ],
  'not-admitted': [
    'the relay does not admit this key',
    'see the reason in its log (client denied), and allow the key by -allow-keys-file or a token there',
  ],
  'new-key-not-admitted': [
    'the relay only admits clients that it knows, and this test has a new key',
    'that is right if it has -verify-clients, -verify-client-url, a key list or tokens; to test further, use a key or token that it admits (--key-file, --token)',
  ],
  'login-silent': ['the login gets no response', "check the relay's log: its admission daemon or URL may not respond"],
  'login-broken': ['the response to the login is malformed', "check that no proxy changes the relay's data"],
  'packet-lost': ['packets are not relayed', "check the relay's log and metrics for drop reasons"],
  'large-packet-lost': [
    'small packets arrive, large ones do not',
    'allow ICMP and lower the path MTU (tunnels and PPPoE have less than 1500)',
  ],
  'packet-changed': ['packets arrive modified', 'find out what modifies data between the relay and this machine'],
  'peer-unknown': ['the relay does not know a peer that is connected to it', 'check its log; restart it'],
  'ping-unanswered': ['the relay does not answer pings', 'update it: clients use pings to detect dead connections'],
  'not-ready': ['the relay says that it is not ready for clients', 'see its log for the cause'],
  degraded: ['the relay works, but says that something is wrong', 'see its log for the cause'],
  'connection-lost': ['the relay closed the connection', 'check its log'],
  'stun-silent': [
    'STUN requests get no response',
    'open UDP port 3478 in the firewalls of the server and its provider (-stun); publish it if the server runs in a container',
  ],
  'stun-refused': ['no STUN server is listening', 'start the relay with -stun, or set STUNPort -1 in the map'],
  'stun-wrong-address': [
    "STUN returns an address of the server's own network instead of the client's",
    'run the container with host networking, or turn off the userland proxy: clients get a wrong address',
  ],
  'port80-closed': [
    'plain HTTP on port 80 gets no response',
    'open port 80 (-http-port 80), and leave CanPort80 out of the map until then',
  ],
  'port80-other': [
    'port 80 responds, but not as a relay',
    'forward /generate_204 to the relay, and leave CanPort80 out of the map until then',
  ],
  'captive-portal': ['a captive portal responds instead of the relay', 'log in to this network, or try another one'],
  'balancer-without-mesh': [
    'a load balancer spreads clients over relays that are not meshed: clients on different relays cannot reach each other',
    'link the relays (-mesh-psk-file with -mesh-with, or with -region), or keep one relay behind the name',
  ],
  'mesh-missing': [
    'the relays of the region are not meshed',
    "give all of them the same mesh key (-mesh-psk-file), and each other's hostnames (-mesh-with) or the same -region and -nats; their logs say why a link fails",
  ],
  'mesh-one-way': [
    'the mesh works in one direction only',
    'each relay of a region needs -mesh-with for all the others; with -region, each must be reached at its -region-url',
  ],
  'mesh-key-differs': [
    'the relay has a different mesh key, or none',
    'give all relays of the region the same key (-mesh-psk-file)',
  ],
}

export type CauseId = OwnCauseId | ConnectionFaultId

/** What fixes a relay's certificate for all its clients, which have no variables. */
const FIXES: ConnectionFixes = {
  'self-signed': 'pin it in the DERP map (CertName "sha256-raw:…", --pin), or use one from an authority',
  untrusted: 'have the relay send its whole chain (fullchain.pem), or trust that authority (--ca)',
  unverified:
    'pin it if it is self-signed (CertName "sha256-raw:…", --pin); otherwise have the relay send its whole chain (fullchain.pem), or trust its authority (--ca)',
}

/** The texts for a cause. */
export function causeOf(id: CauseId): Cause {
  if (!Object.hasOwn(OWN_CAUSES, id)) return causeOfFault(id as ConnectionFaultId)
  const [sentence, fix] = OWN_CAUSES[id as OwnCauseId]
  return { id, sentence, fix }
}

function causeOfFault(id: ConnectionFaultId): Cause {
  const fault = faultOf(id)
  return { ...fault, fix: FIXES[id] ?? fault.fix }
}
