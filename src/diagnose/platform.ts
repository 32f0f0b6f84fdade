/** What the steps need from their platform. Steps that need a missing function are skipped. */

import type { PeerCertificate } from '../client/ports.ts'
import type { DerpEndpoint } from '../derpmap/endpoint.ts'
import type { KeyAgreement } from '../keys/box.ts'
import type { PrivateKey } from '../keys/private-key.ts'
import type { NodePublicKey } from '../keys/public-key.ts'
import type { AddressPort, IpFamily } from '../lib/address-port.ts'
import type { Clock } from '../lib/clock.ts'
import type { Conn } from '../transport/conn.ts'

export interface Platform {
  /** For example `a browser`; used in reasons for skipped steps. */
  readonly name: string
  readonly clock: Clock
  readonly agreement: KeyAgreement
  /** Generates a new key. */
  generateKey(): Promise<PrivateKey>
  /** Addresses of one family; rejects if there are none. */
  readonly lookup?: ((host: string, family: IpFamily, signal: AbortSignal) => Promise<readonly string[]>) | undefined
  readonly openTcp?: ((at: AddressPort, signal: AbortSignal) => Promise<Conn>) | undefined
  /** Performs a TLS handshake and accepts any certificate. */
  readonly inspectTls?:
    | ((at: AddressPort, endpoint: DerpEndpoint, signal: AbortSignal) => Promise<TlsInspection>)
    | undefined
  /** Performs a TLS handshake as clients do; rejects if the certificate is not accepted. */
  readonly openTls?: ((at: AddressPort, endpoint: DerpEndpoint, signal: AbortSignal) => Promise<Conn>) | undefined
  /** Without TCP: opens a DERP WebSocket with the platform's API. */
  readonly openWebSocket?: ((url: URL, signal: AbortSignal) => Promise<Conn>) | undefined
  /** Without TCP: the status of a GET with the platform's API. */
  readonly fetchStatus?: ((url: URL, signal: AbortSignal) => Promise<number>) | undefined
  /** One STUN request. Rejects if there is no response within `timeoutMs`. */
  readonly askStun?: ((at: AddressPort, timeoutMs: number, signal: AbortSignal) => Promise<StunAnswer>) | undefined
}

/** A STUN response. */
export interface StunAnswer {
  /** This machine's address as seen by the server. */
  readonly address: string
  readonly port: number
  readonly rttMs: number
}

/** Results of a TLS handshake. */
export interface TlsInspection {
  /** For example `TLSv1.3`. */
  readonly version: string
  /** As sent, leaf first. */
  readonly certificates: readonly PeerCertificate[]
  /** Error code of the chain, for example `CERT_HAS_EXPIRED`; undefined if it is trusted. */
  readonly chainError: string | undefined
  /** Whether the leaf has an RSA key shorter than 2048 bits. */
  readonly hasWeakKey: boolean
  /** Whether the leaf is valid for a name or address. */
  readonly isValidFor: (name: string) => boolean
  /** Whether the leaf has a URL for its issuer's certificate (AIA), as those of public CAs do. */
  readonly namesIssuer: boolean
  /** The relay's key, if the server announced it. */
  readonly serverKey: NodePublicKey | undefined
  /** The connection. It is unverified: never send secrets over it. */
  readonly conn: Conn
}
