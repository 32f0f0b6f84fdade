/**
 * The relay's TLS: which certificate it serves to which client, swapping it for a new one, and what it negotiates.
 *
 * Clauses: P-140 meta certificate, P-141 names, P-142 versions and protocols, P-147 challenges, P-148 IP addresses.
 */

import { constants, X509Certificate } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import { isIP } from 'node:net'
import {
  createSecureContext,
  DEFAULT_CIPHERS,
  type SecureContext,
  type SecureContextOptions,
  type Server,
  type TlsOptions,
} from 'node:tls'
import { ACME_TLS_PROTOCOL, AcmeChallenges } from './challenges.ts'
import type { ClientHello } from './client-hello.ts'
import { isIpHostname } from './files/manual-certs.ts'
import { TlsReplicas, type TlsState, type TlsUpdate } from './replicas.ts'
import type { CertificatePair } from './x509.ts'

export interface RelayTlsOptions {
  /** With a DNS name, clients must send it as server name; with an IP address they need not send any. */
  readonly hostname: string
  /** Without one, handshakes fail with an alert until {@link RelayTls.replace}. */
  readonly certificate?: CertificatePair | undefined
  /** PEM of the certificate appended to every chain; see `createMetaCertificate`. */
  readonly metaCertificate: string
  /** Challenge responses, for relays that obtain certificates by ACME. */
  readonly challenges?: AcmeChallenges | undefined
  /** 48 random bytes, if several servers must resume each other's sessions. Default: per server. */
  readonly ticketKeys?: Uint8Array | undefined
  /** Other threads that serve the same certificates. */
  readonly replicas?: TlsReplicas | undefined
}

/** The only protocol on which upgrades work. */
const HTTP_PROTOCOL = 'http/1.1'

/**
 * Node's defaults with AES-128-GCM first in TLS 1.3, as it is in 1.2: cheaper than AES-256-GCM, and what the original
 * picks for a client with AES in hardware.
 */
const CIPHERS: string = ['TLS_AES_128_GCM_SHA256', ...DEFAULT_CIPHERS.split(':')]
  .filter((cipher, at, all) => all.indexOf(cipher) === at)
  .join(':')

/**
 * Everything but the certificate. Renegotiation would cost the relay more than the client requesting it. Cipher order
 * is ours, except that a client that lists ChaCha20 first has no AES in hardware and gets it.
 */
const COMMON_OPTIONS = {
  minVersion: 'TLSv1.2',
  ciphers: CIPHERS,
  honorCipherOrder: true,
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_PRIORITIZE_CHACHA,
} as const

type ServerNameAnswer = (error: Error | null, context?: SecureContext) => void

const DNS_NAME = /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/

/** TLS settings of a relay; certificates can be replaced while servers run. */
export class RelayTls {
  readonly hostname: string
  readonly #metaCertificate: string
  readonly #challenges: AcmeChallenges | undefined
  readonly #ticketKeys: Uint8Array | undefined
  readonly #replicas: TlsReplicas
  /** The current certificates, for other threads. */
  readonly #pairs: { certificate: CertificatePair | undefined; unnamedCertificate: CertificatePair | undefined } = {
    certificate: undefined,
    unnamedCertificate: undefined,
  }
  readonly #servers = new Set<Server>()
  /** For clients that send the host name, if that is a DNS name, or another name that the certificate is for. */
  #named: SecureContext | undefined
  /** The certificate in {@link #named}. */
  #leaf: X509Certificate | undefined
  /** For clients that send no DNS name. */
  #unnamed: SecureContextOptions | undefined

  /** @throws Error for an unusable certificate or key. */
  constructor(options: RelayTlsOptions) {
    this.hostname = options.hostname
    this.#metaCertificate = options.metaCertificate
    this.#challenges = options.challenges
    this.#ticketKeys = options.ticketKeys
    this.#replicas = options.replicas ?? new TlsReplicas()
    if (options.certificate !== undefined) this.replace(options.certificate)
  }

  /** The TLS settings of another thread, from its `state`. */
  static ofState({ unnamedCertificate, tlsAnswers, ...options }: TlsState): RelayTls {
    const challenges = tlsAnswers && new AcmeChallenges()
    const tls = new RelayTls({ ...options, challenges })
    if (unnamedCertificate !== undefined) tls.replaceUnnamed(unnamedCertificate)
    for (const [serverName, pair] of tlsAnswers ?? []) void challenges?.showTls(serverName, pair)
    return tls
  }

  /** For other threads; registered replicas learn of later changes in the same turn. */
  state(): TlsState {
    return {
      hostname: this.hostname,
      metaCertificate: this.#metaCertificate,
      ticketKeys: this.#ticketKeys,
      ...this.#pairs,
      tlsAnswers: this.#challenges?.tlsPairs,
    }
  }

  /** Applies a change from another thread. @throws Error like {@link replace}. */
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

  /** Options for creating a server; then {@link attach} it. */
  serverOptions(): TlsOptions {
    return {
      ...COMMON_OPTIONS,
      // A client without a common protocol gets an alert.
      ALPNProtocols: [HTTP_PROTOCOL],
      ...(!isIpHostname(this.hostname) && this.#serverNameCallback()),
      ...this.#unnamed,
      ...(this.#ticketKeys !== undefined && { ticketKeys: Buffer.from(this.#ticketKeys) }),
    }
  }

  /** Whether an authority may come to validate a name. */
  get awaitsAuthority(): boolean {
    return this.#challenges?.awaitsTls === true
  }

  /** Whether a client is an authority that validates a name, and must get the response to that. */
  isAuthority({ serverName, protocols }: ClientHello): boolean {
    return this.#challenges?.tlsAnswer(serverName ?? '', protocols) !== undefined
  }

  /** Options for creating a server that authorities alone are sent to, see {@link isAuthority}. */
  responseOptions(): TlsOptions {
    return {
      minVersion: 'TLSv1.2',
      ALPNProtocols: [ACME_TLS_PROTOCOL],
      SNICallback: (serverName: string, answer: ServerNameAnswer) =>
        answer(null, this.#challenges?.tlsAnswer(serverName, [ACME_TLS_PROTOCOL])),
    }
  }

  /** Keeps the server's certificates up to date until it closes, or what listens for it. */
  attach(server: Server, listening: EventEmitter = server): void {
    this.#servers.add(server)
    listening.once('close', () => this.#servers.delete(server))
  }

  /**
   * Serves a new certificate for the host name from now on; open connections stay.
   *
   * @throws Error for an unusable certificate or key, without any change.
   */
  replace(certificate: CertificatePair): void {
    if (isIpHostname(this.hostname)) this.#showUnnamed(certificate)
    else {
      this.#named = createSecureContext(this.#credentialsOf(certificate))
      this.#leaf = new X509Certificate(certificate.certificate)
    }
    this.#note('certificate', certificate)
  }

  /**
   * Serves a new certificate to clients that send no DNS name, like {@link replace}.
   *
   * A relay with a DNS name accepts such clients only after this (P-148).
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
    // Extra fields must not be sent.
    const pair = { certificate, key }
    this.#pairs[type] = pair
    void this.#replicas.tell({ type, pair })
  }

  // Not called if the client sends no server name.
  #serverNameCallback(): TlsOptions {
    return { SNICallback: (serverName: string, answer: ServerNameAnswer) => this.#answerTo(serverName, answer) }
  }

  #answerTo(serverName: string, answer: ServerNameAnswer): void {
    const context = serverName === this.hostname || this.#covers(serverName) ? this.#named : undefined
    // Without a context the server falls back to its own certificate; if it has none the handshake fails with an alert.
    // A certificate for IP addresses must not be served to a client that sends a name, and an error is the only way.
    if (context !== undefined || this.#unnamed === undefined || isIP(serverName) !== 0) answer(null, context)
    else answer(new Error(`no certificate for server name ${serverName}`))
  }

  /** Whether the certificate is for that name as well. Names are written as clients write them: in lower case. */
  #covers(serverName: string): boolean {
    if (!DNS_NAME.test(serverName)) return false
    return this.#leaf?.checkHost(serverName, { subject: 'never', partialWildcards: false }) !== undefined
  }

  #credentialsOf({ certificate, key }: CertificatePair): SecureContextOptions {
    return { cert: `${certificate.trimEnd()}\n${this.#metaCertificate}`, key, ...COMMON_OPTIONS }
  }
}
