/** What can be wrong with a relay, as a sentence and what mends it. Pure. */

import { type ConnectionFaultId, faultOf } from '../lib/connection-fault.ts'

/** Layers of a connection to a relay, bottom up. */
export const LAYERS = ['DNS', 'TCP', 'TLS', 'HTTP', 'upgrade', 'login', 'relaying', 'STUN', 'mesh'] as const

export type Layer = (typeof LAYERS)[number]

/** A named cause. */
export interface Cause {
  readonly id: CauseId
  /** What is wrong, without a final stop. */
  readonly sentence: string
  /** What to do about it, without a final stop. */
  readonly mend: string
}

/** Causes that only an examination can name. */
export type OwnCauseId =
  | 'sinkholed'
  | 'no-address'
  | 'dns-differs'
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
  | 'login-silent'
  | 'login-broken'
  | 'packet-lost'
  | 'large-packet-lost'
  | 'packet-changed'
  | 'peer-unknown'
  | 'ping-unanswered'
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

/** Words of {@link OwnCauseId}. */
export const OWN_CAUSES: Readonly<Record<OwnCauseId, readonly [sentence: string, mend: string]>> = {
  sinkholed: [
    'DNS answers with an address that leads nowhere',
    'a DNS filter blocks the name: allow it there, or ask another DNS server',
  ],
  'no-address': ['neither IPv4 nor IPv6 is left to try', 'publish an A or AAAA record, or state an address in the map'],
  'dns-differs': [
    'the map states another address than DNS gives',
    'update IPv4 and IPv6 in the map, or leave them out so that clients ask DNS',
  ],
  filtered: [
    'the port is filtered: there is no answer, not even a refusal',
    'open it in the firewall of the server and of its provider; containers must publish it',
  ],
  'tcp-blocked': [
    'STUN works but TCP is blocked: the server is there, and only its UDP port is open',
    'open the TCP port in the firewall of the server and of its provider; containers must publish it',
  ],
  'plain-http': [
    'plain HTTP is served on the TLS port',
    'let the relay serve TLS (-certmode and -hostname; ours also needs -tls on other ports than 443), or put a proxy with TLS before it',
  ],
  'other-protocol': ['another protocol than TLS is served on the port', 'use the port of the relay'],
  'tls-silent': [
    'the port accepts connections, but nothing answers the TLS handshake',
    'restart the server if it hangs; otherwise a firewall or proxy on the way swallows what follows the connection',
  ],
  'tls-closed': [
    'the connection was closed during the TLS handshake',
    'see the log of the server; a proxy by server name (SNI) may lack this name, or a firewall may block it',
  ],
  'clock-off': ['the clock of this machine is wrong', 'set it, by NTP'],
  'incomplete-chain': [
    'the server sends its certificate without the intermediate ones',
    'have it send the whole chain (fullchain.pem)',
  ],
  intercepted: [
    'TLS is intercepted: the certificate is one of a proxy that reads traffic on the way',
    'exempt the relay from inspection in that proxy',
  ],
  'wrong-pin': [
    'the certificate is not the pinned one',
    'if it was replaced on purpose, pin the new one (derp map make); otherwise somebody is in between',
  ],
  'pin-with-chain': [
    'other certificates are sent along with the pinned one',
    'serve the pinned certificate alone: clients refuse a pin with a chain',
  ],
  'no-certificate': ['the server sent no certificate', 'configure one'],
  'client-certificate': [
    'the server wants a certificate of the client',
    'turn off client certificates for the relay: clients of DERP have none',
  ],
  'expires-soon': ['the certificate expires soon', 'renew it; if that should happen by itself, see why it does not'],
  'not-http': ['what answers does not speak HTTP', 'use the port of the relay'],
  'http2-only': ['the server speaks HTTP/2 only', 'offer HTTP/1.1: connections cannot be upgraded to DERP by HTTP/2'],
  'http-silent': [
    'HTTP requests are not answered',
    'restart the server if it hangs; otherwise see what the proxy before it waits for',
  ],
  'http-closed': [
    'the connection is closed instead of an answer to HTTP',
    'see the log of the server: its limits of connections may be reached, or a proxy cannot reach the relay',
  ],
  'behind-down': [
    'a proxy answers, but the relay behind it does not',
    'start the relay, and check address and port in the proxy',
  ],
  'sign-in': [
    'something before the relay wants a sign-in',
    'exempt the path of the relay from authentication: clients of DERP cannot sign in',
  ],
  redirected: [
    "the relay's address redirects elsewhere",
    'use the address that it redirects to, or turn off the redirect for the path of the relay',
  ],
  'other-site': [
    'a web server without a relay is there',
    'use the port of the relay, or have the web server pass /derp to it',
  ],
  'wrong-path': ['the relay is at another path', 'use the URL with /derp'],
  'derp-disabled': ['the server runs without DERP', 'start it without -derp=false'],
  'going-away': ['the server does not take connections for now', 'wait until it has restarted'],
  'rate-limited': ['requests are limited', 'raise the limit of the proxy for the path of the relay'],
  'server-error': ['the server fails to answer', 'see its log'],
  'upgrade-stripped': [
    'a proxy removes the upgrade to DERP',
    'have it pass the headers Upgrade and Connection by HTTP/1.1, or pass TCP through by server name (SNI)',
  ],
  'websocket-only': [
    'a proxy lets WebSocket pass, but not the upgrade to DERP: browsers get through, Tailscale clients do not',
    'pass TCP through (no HTTP proxy), or use a proxy that passes any Upgrade',
  ],
  'upgrade-refused': ['the upgrade to DERP is refused', 'see the log of the server and of the proxy before it'],
  'upgrade-silent': [
    'the upgrade to DERP is not answered',
    'a proxy may wait for more: have it pass upgrades, or pass TCP through',
  ],
  'upgrade-closed': [
    'the connection is closed instead of an answer to the upgrade',
    'a proxy or firewall that knows no upgrade to DERP does that: pass TCP through',
  ],
  'upgrade-wrong': [
    'the connection was upgraded to another protocol',
    'have the proxy pass the answer of the relay unchanged',
  ],
  'websocket-refused': ['WebSocket is refused', 'have the proxy pass WebSocket too: browsers have nothing else'],
  'websocket-not-derp': [
    'a WebSocket opens, but not one of DERP',
    'have the proxy pass Sec-WebSocket-Protocol, and the path of the relay to the relay',
  ],
  'no-server-key': [
    'after the upgrade the relay says nothing',
    'a proxy between may hold the data back: turn off its buffering',
  ],
  'not-derp': ['what follows the upgrade is not DERP', 'have the proxy pass what the relay sends unchanged'],
  'closed-after-upgrade': [
    'the connection is closed right after the upgrade',
    'see the log of the relay; a proxy may end connections that it does not understand',
  ],
  'key-differs': [
    'the certificate announces another relay than the one that answers',
    'have the proxy pass TLS through to the relay that answers, or run one relay behind it',
  ],
  'not-admitted': [
    'the relay does not admit this key',
    'allow it (-verify-clients, -verify-client-url, key list, token), or pass one that is allowed by --key-file or --token',
  ],
  'login-silent': [
    'the login is not answered',
    'see the log of the relay: what it asks for admission (daemon or URL) may not answer',
  ],
  'login-broken': ['the answer to the login cannot be read', 'see that nothing between changes what the relay sends'],
  'packet-lost': ['packets are not relayed', 'see the log and metrics of the relay: drops have reasons there'],
  'large-packet-lost': [
    'small packets arrive and large ones do not',
    'let ICMP pass and lower the MTU of the way (tunnels and PPPoE have less than 1500)',
  ],
  'packet-changed': ['packets arrive changed', 'see what between the relay and here changes data'],
  'peer-unknown': ['the relay does not know the peer that is connected to it', 'see its log; restart it'],
  'ping-unanswered': ['the relay does not answer pings', 'update it: clients find dead connections by them'],
  'connection-lost': ['the relay closed the connection', 'see its log'],
  'stun-silent': [
    'STUN is not answered',
    'open UDP port 3478 in the firewall of the server and of its provider, and publish it from containers (-stun)',
  ],
  'stun-refused': ['no STUN server is there', 'start the relay with -stun, or state STUNPort -1 in the map'],
  'stun-wrong-address': [
    "STUN answers with an address of the server's own network instead of the client's",
    'run the container with host networking, or turn off the userland proxy: clients learn a wrong address',
  ],
  'port80-closed': [
    'plain HTTP on port 80 does not answer',
    'open port 80 (-http-port 80), or leave CanPort80 out of the map',
  ],
  'port80-other': [
    'port 80 is answered, but not by a relay',
    'pass /generate_204 to the relay, or leave CanPort80 out of the map',
  ],
  'captive-portal': [
    "a captive portal answers in the relay's place",
    'sign in to this network, or try from another one',
  ],
  'balancer-without-mesh': [
    'a load balancer spreads clients over relays that are not meshed: clients of different ones cannot reach each other',
    'mesh the relays (-mesh-with and -mesh-psk-file), or keep one relay behind the name',
  ],
  'mesh-missing': [
    'the relays of the region are not meshed',
    "give all of them the same mesh key and each other's names (-mesh-psk-file, -mesh-with); their logs say why a link fails",
  ],
  'mesh-one-way': ['the mesh works one way only', 'each relay of a region needs -mesh-with for all the others'],
  'mesh-key-differs': [
    'the relay has another mesh key, or none',
    'give all relays of the region the same file (-mesh-psk-file)',
  ],
}

export type CauseId = OwnCauseId | ConnectionFaultId

/** The words for a cause. */
export function causeOf(id: CauseId): Cause {
  if (!Object.hasOwn(OWN_CAUSES, id)) return faultOf(id as ConnectionFaultId)
  const [sentence, mend] = OWN_CAUSES[id as OwnCauseId]
  return { id, sentence, mend }
}
