/** TLS with ACME certificates, meta certificate included (P-147 to P-149). */

import { isIP } from 'node:net'
import type { NodePublicKey } from '../../keys/node-key.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import type { CertificateSource, CertificateStatus } from '../certificate-source.ts'
import { AcmeChallenges } from '../challenges.ts'
import type { ReadMapNodePorts } from '../map-node.ts'
import { createMetaCertificate } from '../meta-cert.ts'
import { RelayTls, type RelayTlsOptions } from '../relay-tls.ts'
import type { AcmeChallengeType } from './acme.ts'
import { AcmeCertificate, type AcmeCertificateOptions } from './acme-certificate.ts'
import { type AcmeSettings, acmeAccount, assertAcmeSettings, IP_PROFILE } from './acme-settings.ts'
import { canonicalAddress } from './own-addresses.ts'
import { servedName } from './served-name.ts'

export interface AcmeTlsOptions extends AcmeSettings, Pick<RelayTlsOptions, 'ticketKeys' | 'replicas'> {
  /** The relay's key, for the meta certificate. */
  readonly publicKey: NodePublicKey
  /** Ports for the DERP map entry in the log. */
  readonly mapNodePorts?: ReadMapNodePorts | undefined
  readonly log?: Log
  readonly clock?: Clock
  /** For tests: returns a number from 0 to 1. */
  readonly random?: () => number
}

export interface AcmeTls {
  readonly tls: RelayTls
  /** Start it once the listeners are open. */
  readonly certificates: CertificateSource
  /** Challenge responses for the port-80 listener. */
  readonly challenges: AcmeChallenges
}

/** TLS first for names, as in the original; HTTP for addresses, where the original supports nothing else. */
const NAME_CHALLENGES: readonly AcmeChallengeType[] = ['tls-alpn-01', 'http-01']
const ADDRESS_CHALLENGES: readonly AcmeChallengeType[] = ['http-01', 'tls-alpn-01']

/** Contacts no one yet. @throws DerpError naming the missing or conflicting setting. */
export async function createAcmeTls(options: AcmeTlsOptions): Promise<AcmeTls> {
  assertAcmeSettings(options)
  const { publicKey, clock = systemClock } = options
  const hostname = servedName(options.hostname)
  const { ticketKeys, replicas } = options
  const challenges = new AcmeChallenges(replicas)
  const metaCertificate = await createMetaCertificate(publicKey, clock)
  const tls = new RelayTls({ hostname, metaCertificate, challenges, ticketKeys, replicas })
  const wishes = isIP(hostname) === 0 ? wishesForName(options, hostname, tls) : [wishForAddress(options, hostname, tls)]
  const common = { ...commonOptions(options), challenges }
  const certificates = new AcmeCertificates(
    wishes.map(({ preference, ...wish }) => {
      const challengeTypes = preference.filter(type => options.challengeTypes?.includes(type) ?? true)
      return new AcmeCertificate({ ...common, ...wish, challengeTypes })
    }),
  )
  return { tls, certificates, challenges }
}

/** All certificates of a relay. */
class AcmeCertificates implements CertificateSource {
  readonly #certificates: readonly AcmeCertificate[]

  constructor(certificates: readonly AcmeCertificate[]) {
    this.#certificates = certificates
  }

  status(): readonly CertificateStatus[] {
    return this.#certificates.map(certificate => certificate.status())
  }

  async start(): Promise<void> {
    await Promise.all(this.#certificates.map(certificate => certificate.start()))
  }

  async reload(): Promise<void> {
    await Promise.all(this.#certificates.map(certificate => certificate.reload()))
  }

  async close(): Promise<void> {
    await Promise.all(this.#certificates.map(certificate => certificate.close()))
  }
}

type Wish = Pick<AcmeCertificateOptions, 'identifiers' | 'required' | 'replace' | 'profile'> & {
  readonly preference: readonly AcmeChallengeType[]
}

function wishesForName(options: AcmeTlsOptions, hostname: string, tls: RelayTls): Wish[] {
  const { profile, ipCerts, ipAddresses, log = silentLog } = options
  const named: Wish = {
    identifiers: [hostname],
    required: [hostname],
    replace: certificate => tls.replace(certificate),
    profile,
    preference: NAME_CHALLENGES,
  }
  if (!ipCerts) return [named]
  const identifiers = [...new Set(ipAddresses.map(canonicalAddress))]
  if (identifiers.length === 0) {
    log.warn('no certificate for IP addresses: this machine has no known public address; set -acme-ips')
    return [named]
  }
  const replace: Wish['replace'] = certificate => tls.replaceUnnamed(certificate)
  return [named, { identifiers, required: [], replace, profile: IP_PROFILE, preference: ADDRESS_CHALLENGES }]
}

function wishForAddress({ ipAddresses }: AcmeTlsOptions, hostname: string, tls: RelayTls): Wish {
  return {
    identifiers: [...new Set([hostname, ...ipAddresses.map(canonicalAddress)])],
    required: [hostname],
    replace: certificate => tls.replace(certificate),
    profile: IP_PROFILE,
    preference: ADDRESS_CHALLENGES,
  }
}

function commonOptions(options: AcmeTlsOptions) {
  const { directory, mapNodePorts, log, clock, random } = options
  return { directory, mapNodePorts, log, clock, random, account: acmeAccount(options) }
}
