/**
 * How a relay speaks TLS: which certificate it shows to whom, and what it offers.
 *
 * Clauses: P-140 meta certificate, P-141 names, P-142 versions and protocols, P-147 challenges, P-148 IP addresses.
 */

import { constants } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import { isIP } from 'node:net'
import {
  createSecureContext,
  DEFAULT_CIPHERS,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from 'node:tls'
import { ACME_TLS_PROTOCOL, AcmeChallenges } from './challenges.ts'
import { isIpHostname } from './files/manual-certs.ts'
import { TlsReplicas, type TlsState, type TlsUpdate } from './replicas.ts'
import type { CertificatePair } from './x509.ts'

export interface RelayTlsOptions {
  /** With a DNS name, clients must ask for it; with an IP address they need not ask for anything. */
  readonly hostname: string
  /** Without one, handshakes end with an alert until {@link RelayTls.replace}. */
  readonly certificate?: CertificatePair | undefined
  /** PEM of the certificate that goes behind all others; see `createMetaCertificate`. */
  readonly metaCertificate: string
  /** Answers to authorities, for relays that ask one for certificates. */
  readonly challenges?: AcmeChallenges | undefined
  /** 48 random bytes, where several servers must take each other's sessions up. Default: each server has its own. */
  readonly ticketKeys?: Uint8Array | undefined
  /** Other threads that serve the same. */
  readonly replicas?: TlsReplicas | undefined
}

/** The one protocol on which upgrades work. */
const HTTP_PROTOCOL = 'http/1.1'

/**
 * Node's own choice with AES-128-GCM first in TLS 1.3 as it is in 1.2: it costs less than AES-256-GCM, and is what the
 * original takes from a client with AES in hardware.
 */
const CIPHERS: string = ['TLS_AES_128_GCM_SHA256', ...DEFAULT_CIPHERS.split(':')]
  .filter((cipher, at, all) => all.indexOf(cipher) === at)
  .join(':')

/**
 * What the certificate has no part in. A handshake anew would cost the relay more than the client that asks for it.
 * The order of ciphers is ours, but a client that asks for ChaCha20 first has no AES in hardware, and gets it.
 */
const COMMON_OPTIONS = {
  minVersion: 'TLSv1.2',
  ciphers: CIPHERS,
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA,
} as const

type ServerNameAnswer = (error: Error | null, context?: SecureContext) => void

/** The TLS settings of a relay; its certificates can be replaced while servers run. */
export class RelayTls {
  readonly hostname: string
  readonly #metaCertificate: string
  readonly #challenges: AcmeChallenges | undefined
  readonly #ticketKeys: Uint8Array | undefined
  readonly #replicas: TlsReplicas
  /** What is shown, for other threads. */
  readonly #pairs: { certificate: CertificatePair | undefined; unnamedCertificate: CertificatePair | undefined } = {
    certificate: undefined,
    unnamedCertificate: undefined,
  }
  readonly #servers = new Set<Server>()
  // Sockets that an authority has opened: in TLS 1.3 they come to the choice of a name after that of a protocol.
  readonly #challenged = new WeakSet<TLSSocket>()
  /** For those who ask for the host name, if that is a DNS name. */
  #named: SecureContext | undefined
  /** For those who ask for no DNS name. */
  #unnamed: SecureContextOptions | undefined

  /** @throws Error for a certificate or key that cannot be used. */
  constructor(options: RelayTlsOptions) {
    this.hostname = options.hostname
    this.#metaCertificate = options.metaCertificate
    this.#challenges = options.challenges
    this.#ticketKeys = options.ticketKeys
    this.#replicas = options.replicas ?? new TlsReplicas()
    if (options.certificate !== undefined) this.replace(options.certificate)
  }

  /** The TLS of another thread that has told `state`. */
  static ofState({ unnamedCertificate, tlsAnswers, ...options }: TlsState): RelayTls {
    const challenges = tlsAnswers && new AcmeChallenges()
    const tls = new RelayTls({ ...options, challenges })
    if (unnamedCertificate !== undefined) tls.replaceUnnamed(unnamedCertificate)
    for (const [serverName, pair] of tlsAnswers ?? []) void challenges?.showTls(serverName, pair)
    return tls
  }

  /** For other threads; changes since then are told to those that are among the replicas in the same turn. */
  state(): TlsState {
    return {
      hostname: this.hostname,
      metaCertificate: this.#metaCertificate,
      ticketKeys: this.#ticketKeys,
      ...this.#pairs,
      tlsAnswers: this.#challenges?.tlsPairs,
    }
  }

  /** Takes a change that another thread has told. @throws Error as {@link replace}. */
  apply(update: TlsUpdate): void {
    switch (update.type) {
      case 'certificate':
        this.replace(update.pair)
        break
      case 'unnamedCertificate':
        this.replaceUnnamed(update.pair)
        break
      case 'tlsAnswer':
        if (update.pair === undefined) this.#challenges?.hideTls(update.serverName)
        else void this.#challenges?.showTls(update.serverName, update.pair)
    }
  }

  /** What a server is made with; {@link attach} it then. */
  serverOptions(): TlsOptions {
    const challenges = this.#challenges
    return {
      ...COMMON_OPTIONS,
      ...(challenges === undefined ? { ALPNProtocols: [HTTP_PROTOCOL] } : this.#alpnCallback(challenges)),
      ...(!isIpHostname(this.hostname) && this.#serverNameCallback()),
      ...this.#unnamed,
      ...(this.#ticketKeys !== undefined && { ticketKeys: Buffer.from(this.#ticketKeys) }),
    }
  }

  /** Keeps the server's certificates up to date until it closes, or what listens for it. */
  attach(server: Server, listening: EventEmitter = server): void {
    this.#servers.add(server)
    listening.once('close', () => this.#servers.delete(server))
  }

  /**
   * Shows another certificate for the host name from now on; connections that are open stay.
   *
   * @throws Error for a certificate or key that cannot be used; then nothing has changed.
   */
  replace(certificate: CertificatePair): void {
    if (isIpHostname(this.hostname)) this.#showUnnamed(certificate)
    else this.#named = createSecureContext(this.#credentialsOf(certificate))
    this.#note('certificate', certificate)
  }

  /**
   * Shows another certificate to those who ask for no DNS name, as {@link replace} does.
   *
   * Only this makes a relay with a DNS name take such clients at all (P-148).
   */
  replaceUnnamed(certificate: CertificatePair): void {
    this.#showUnnamed(certificate)
    this.#note('unnamedCertificate', certificate)
  }

  #showUnnamed(certificate: CertificatePair): void {
    const credentials = this.#credentialsOf(certificate)
    createSecureContext(credentials)
    this.#unnamed = credentials
    for (const server of this.#servers) server.setSecureContext(credentials)
  }

  #note(type: 'certificate' | 'unnamedCertificate', { certificate, key }: CertificatePair): void {
    // What comes along must not be sent.
    const pair = { certificate, key }
    this.#pairs[type] = pair
    void this.#replicas.tell({ type, pair })
  }

  // Nothing is called when no name is sent at all.
  #serverNameCallback(): TlsOptions {
    const challenged = this.#challenged
    const answerTo = (serverName: string, answer: ServerNameAnswer) => this.#answerTo(serverName, answer)
    return {
      SNICallback(this: TLSSocket, serverName: string, answer: ServerNameAnswer) {
        if (challenged.has(this)) answer(null)
        else answerTo(serverName, answer)
      },
    }
  }

  #answerTo(serverName: string, answer: ServerNameAnswer): void {
    const context = serverName === this.hostname ? this.#named : undefined
    // With no context the server falls back on its own certificate, and if it has none the handshake ends with an
    // alert. One for IP addresses is nothing for who asks for a name, and an error is the only way not to show it.
    if (context !== undefined || this.#unnamed === undefined || isIP(serverName) !== 0) answer(null, context)
    else answer(new Error(`no certificate for server name ${serverName}`))
  }

  // A client that offers nothing that is spoken here gets an alert, with the callback as with the list.
  #alpnCallback(challenges: AcmeChallenges): TlsOptions {
    const challenged = this.#challenged
    return {
      ALPNCallback(this: TLSSocket, { servername, protocols }: { servername: string; protocols: string[] }) {
        const answer = challenges.tlsAnswer(servername, protocols)
        if (answer === undefined) return protocols.includes(HTTP_PROTOCOL) ? HTTP_PROTOCOL : undefined
        challenged.add(this)
        this.setKeyCert(answer)
        return ACME_TLS_PROTOCOL
      },
    }
  }

  #credentialsOf({ certificate, key }: CertificatePair): SecureContextOptions {
    return { cert: `${certificate.trimEnd()}\n${this.#metaCertificate}`, key, ...COMMON_OPTIONS }
  }
}
