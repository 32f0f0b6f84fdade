/** The platform for Node, where every step is possible. */

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { readServerKey } from '../client/dial/meta-certificate.ts'
import { checkName, readCertificates } from '../client/node/node-certificate.ts'
import { lookupSystem } from '../client/node/node-dns.ts'
import { openTcp, openTls } from '../client/node/node-socket.ts'
import { startTls } from '../client/node/node-tls.ts'
import type { DerpEndpoint } from '../derpmap/endpoint.ts'
import { nodeAgreement } from '../keys/node-box.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import { abortable } from '../lib/abort.ts'
import type { AddressPort } from '../lib/address-port.ts'
import { type Clock, systemClock } from '../lib/clock.ts'
import { stunBinding } from '../stun/client.ts'
import { NodeConn } from '../transport/node-conn.ts'
import type { Platform, TlsInspection } from './platform.ts'

/** OpenSSL rejects shorter keys. */
const MIN_RSA_BITS = 2048

export interface NodePlatformOptions {
  /** PEM of all CAs to trust. Default: Node's. */
  readonly authorities?: readonly string[] | undefined
  readonly clock?: Clock | undefined
}

export function nodePlatform({ authorities, clock = systemClock }: NodePlatformOptions = {}): Platform {
  const trust = authorities === undefined ? {} : { ca: [...authorities] }
  return {
    name: 'Node',
    clock,
    agreement: nodeAgreement,
    generateKey: async () => NodePrivateKey.generate(),
    lookup: (host, family, signal) => abortable(lookupSystem(host, family), signal, `look up ${host}`),
    openTcp: async ({ address, port }, signal) => new NodeConn(await openTcp(address, port, signal)),
    inspectTls: (at, endpoint, signal) => inspectTls(at, endpoint, trust, signal),
    openTls: async ({ address, port }, endpoint, signal) => {
      const below = await openTcp(address, port, signal)
      const { socket } = await startTls(below, endpoint, { config: trust, clock, signal })
      return new NodeConn(socket)
    },
    askStun: ({ address, port }, timeoutMs, signal) =>
      stunBinding({ host: address, port, timeoutMs, socketType: isIP(address) === 6 ? 'udp6' : 'udp4', signal, clock }),
  }
}

/** Completes a handshake with any certificate, to find out what is wrong with it. */
async function inspectTls(
  { address, port }: AddressPort,
  { serverName }: DerpEndpoint,
  trust: { readonly ca?: string[] },
  signal: AbortSignal,
): Promise<TlsInspection> {
  const below = await openTcp(address, port, signal)
  const options = {
    ...trust,
    host: serverName,
    ...(isIP(serverName) === 0 && { servername: serverName }),
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  }
  const socket = await openTls(below, options, signal)
  const certificates = readCertificates(socket)
  const [leaf] = certificates
  return {
    version: socket.getProtocol() ?? 'unknown',
    certificates,
    chainError: socket.authorized ? undefined : String(socket.authorizationError),
    hasWeakKey: leaf !== undefined && (leaf.publicKey.asymmetricKeyDetails?.modulusLength ?? Infinity) < MIN_RSA_BITS,
    isValidFor: name => leaf !== undefined && checkName(leaf, name, serverName) === undefined,
    namesIssuer: leaf !== undefined && namesIssuer(leaf),
    serverKey: socket.getProtocol() === 'TLSv1.3' ? readServerKey(certificates) : undefined,
    conn: new NodeConn(socket),
  }
}

function namesIssuer({ infoAccess }: X509Certificate): boolean {
  return infoAccess?.includes('CA Issuers') === true
}
