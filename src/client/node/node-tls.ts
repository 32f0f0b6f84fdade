/** Performs TLS, verifies the peer, and learns the relay's key (P-143, P-144). */

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import type { CertificateRule, DerpEndpoint } from '../../derpmap/endpoint.ts'
import type { NodePublicKey } from '../../keys/public-key.ts'
import type { Clock } from '../../lib/clock.ts'
import { explainError } from '../../lib/connection-fault.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { readServerKey } from '../dial/meta-certificate.ts'
import { tunnelTarget } from '../dial/proxy-tunnel.ts'
import { TlsFailedError, tlsFailureReason } from '../dial/tls-failure.ts'
import type { TlsSession, TlsSessions } from '../dial/tls-sessions.ts'
import type { TlsConnectionState } from '../ports.ts'
import { assertPinned, checkNameOfRaw, readCertificates } from './node-certificate.ts'
import { openTls } from './node-socket.ts'

/** The expected peer. */
export type TlsPeer = Pick<DerpEndpoint, 'host' | 'port' | 'serverName' | 'certificate'>

export interface TlsSetup {
  readonly config: ConnectionOptions
  readonly clock: Clock
  /** Sessions to resume; without it every handshake is a full one. */
  readonly sessions?: TlsSessions<X509Certificate> | undefined
  readonly signal: AbortSignal
}

/** A connection to a verified peer. */
export interface SecuredSocket {
  readonly socket: TLSSocket
  readonly state: TlsConnectionState
  /** The relay's key, if the peer has announced it (P-143). */
  readonly serverKey: NodePublicKey | undefined
  /** Makes the next connection perform a full handshake, after which the key may differ. */
  readonly forgetSession: () => void
}

/** @throws TlsFailedError if handshake or verification fails, DerpError if the connection fails. */
export async function startTls(below: Duplex, peer: TlsPeer, setup: TlsSetup): Promise<SecuredSocket> {
  const { clock, signal } = setup
  const { servername: _other, ...config } = setup.config
  const name = tunnelTarget(peer.host, peer.port)
  const session = new SessionInUse(peer, setup)
  const { resumed } = session
  const options: ConnectionOptions = {
    ...config,
    host: peer.serverName,
    // IP addresses are not sent as server names (RFC 6066, section 3).
    ...(isIP(peer.serverName) === 0 && { servername: peer.serverName }),
    ...checksOf(peer.certificate, config, name),
    ...(resumed !== undefined && { session: Buffer.from(resumed.ticket) }),
  }
  const socket = await openTls(below, options, signal, ticket => session.onTicket(ticket)).catch(error => {
    session.forget()
    throw tlsError(error, name)
  })
  const isResumed = socket.isSessionReused() && resumed !== undefined
  const certificates = isResumed ? resumed.certificates : readCertificates(socket)
  try {
    if (peer.certificate.kind === 'pin') assertPinned(certificates, peer.certificate, name, clock.wallNow())
  } catch (error) {
    session.forget()
    socket.destroy()
    throw error
  }
  const serverKey = isResumed ? resumed.serverKey : serverKeyOf(socket, certificates)
  session.keep({ certificates, serverKey })
  const state = stateOf(socket, certificates, peer.certificate)
  return { socket, state, serverKey, forgetSession: () => session.forget() }
}

/** One connection's use of the session cache. */
class SessionInUse {
  /** The session it tries to resume. */
  readonly resumed: TlsSession<X509Certificate> | undefined
  readonly #sessions: TlsSessions<X509Certificate> | undefined
  readonly #key: string
  #ticket: Uint8Array | undefined
  #kept: Omit<TlsSession<X509Certificate>, 'ticket'> | undefined

  constructor({ host, port, serverName, certificate }: TlsPeer, { sessions, clock }: TlsSetup) {
    this.#sessions = sessions
    this.#key = JSON.stringify([host, port, serverName, certificate])
    this.resumed = sessions?.get(this.#key, clock.wallNow())
  }

  /** With TLS 1.2, tickets arrive before verification. */
  onTicket(ticket: Uint8Array): void {
    this.#ticket = ticket
    this.#put()
  }

  /** The connection is verified, so its session may be stored. */
  keep(kept: Omit<TlsSession<X509Certificate>, 'ticket'>): void {
    this.#kept = kept
    this.#put()
  }

  forget(): void {
    this.#kept = undefined
    this.#sessions?.forget(this.#key)
  }

  #put(): void {
    if (this.#ticket !== undefined && this.#kept !== undefined) {
      this.#sessions?.put(this.#key, { ticket: this.#ticket, ...this.#kept })
    }
  }
}

function checksOf(rule: CertificateRule, config: ConnectionOptions, peer: string): ConnectionOptions {
  switch (rule.kind) {
    case 'any':
      return { rejectUnauthorized: false }
    case 'pin':
      // Needs no trust chain; see `assertPinned`.
      return { rejectUnauthorized: false, checkServerIdentity: () => undefined }
    case 'name': {
      const check = config.checkServerIdentity ?? ((name, { raw }) => checkNameOfRaw(raw, name, peer))
      return { checkServerIdentity: (_name, certificate) => check(rule.name, certificate) }
    }
  }
}

/** Only TLS 1.3 hides certificates from observers, and only then is the announced key used. */
function serverKeyOf(socket: TLSSocket, certificates: readonly X509Certificate[]): NodePublicKey | undefined {
  return socket.getProtocol() === 'TLSv1.3' ? readServerKey(certificates) : undefined
}

function stateOf(
  socket: TLSSocket,
  peerCertificates: readonly X509Certificate[],
  rule: CertificateRule,
): TlsConnectionState {
  const { servername } = socket as TLSSocket & { readonly servername?: string | false }
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    serverName: servername || undefined,
    protocol: socket.alpnProtocol || undefined,
    isResumed: socket.isSessionReused(),
    peerCertificates,
    pin: rule.kind === 'pin' ? rule.sha256 : undefined,
  }
}

function tlsError(error: unknown, peer: string): DerpError {
  if (error instanceof DerpError) return error
  const reason = tlsFailureReason(error)
  if (reason !== undefined) return new TlsFailedError(reason, peer, explainError(error), error)
  return new DerpError('ERR_DERP_DIAL_FAILED', `secure connection to ${peer}: ${explainError(error)}`, { cause: error })
}
