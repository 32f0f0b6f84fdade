/** What the steps need of their platform. A platform leaves out what it cannot do, and the steps that need it are skipped. */

import type { PeerCertificate } from '../client/ports.ts'
import type { DerpEndpoint } from '../derpmap/endpoint.ts'
import type { KeyAgreement } from '../keys/box.ts'
import type { PrivateKey } from '../keys/private-key.ts'
import type { NodePublicKey } from '../keys/public-key.ts'
import type { AddressPort, IpFamily } from '../lib/address-port.ts'
import type { Clock } from '../lib/clock.ts'
import type { Conn } from '../transport/conn.ts'

export interface Platform {
  /** Such as `a browser`, for reasons of skipped steps. */
  readonly name: string
  readonly clock: Clock
  readonly agreement: KeyAgreement
  /** A fresh key. */
  generateKey(): Promise<PrivateKey>
  /** Addresses of one family; rejects if there are none. */
  readonly lookup?: ((host: string, family: IpFamily, signal: AbortSignal) => Promise<readonly string[]>) | undefined
  readonly openTcp?: ((at: AddressPort, signal: AbortSignal) => Promise<Conn>) | undefined
  /** Performs a TLS handshake, whatever certificate comes. */
  readonly inspectTls?:
    | ((at: AddressPort, endpoint: DerpEndpoint, signal: AbortSignal) => Promise<TlsInspection>)
    | undefined
  /** Performs a TLS handshake as clients do; rejects if the certificate does not pass. */
  readonly openTls?: ((at: AddressPort, endpoint: DerpEndpoint, signal: AbortSignal) => Promise<Conn>) | undefined
  /** Where there is no TCP: a WebSocket of DERP, by the platform's own. */
  readonly openWebSocket?: ((url: URL, signal: AbortSignal) => Promise<Conn>) | undefined
  /** Where there is no TCP: the status of a GET, by the platform's own means. */
  readonly fetchStatus?: ((url: URL, signal: AbortSignal) => Promise<number>) | undefined
  /** One STUN exchange with an address. Rejects if there is no answer within `timeoutMs`. */
  readonly askStun?: ((at: AddressPort, timeoutMs: number, signal: AbortSignal) => Promise<StunAnswer>) | undefined
}

/** The answer of a STUN server. */
export interface StunAnswer {
  /** Our address, as the server sees it. */
  readonly address: string
  readonly port: number
  readonly rttMs: number
}

/** What a TLS handshake has shown. */
export interface TlsInspection {
  /** Such as `TLSv1.3`. */
  readonly version: string
  /** As sent, leaf first. */
  readonly certificates: readonly PeerCertificate[]
  /** Code of what is wrong with the chain, such as `CERT_HAS_EXPIRED`; undefined for a trusted one. */
  readonly chainError: string | undefined
  /** Whether the key of the leaf is RSA of less than 2048 bits. */
  readonly hasWeakKey: boolean
  /** Whether the leaf is valid for a name or address. */
  readonly isValidFor: (name: string) => boolean
  /** Where the leaf says its issuer's certificate can be had; authorities of the public say so. */
  readonly namesIssuer: boolean
  /** The relay's key, if the server announced it. */
  readonly serverKey: NodePublicKey | undefined
  /** The connection, verified by nobody: no secret may go there. */
  readonly conn: Conn
}
