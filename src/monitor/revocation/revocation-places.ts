/** Where a certificate says that its revocation can be looked up. */

import { loadX509 } from '../../tls/x509.ts'

export interface RevocationPlaces {
  /** URL of a list of revoked certificates. */
  readonly crl: string | undefined
  /** URL of an OCSP server. */
  readonly ocsp: string | undefined
}

/** The first of each that is reached by HTTP. @param der the certificate. */
export async function revocationPlaces(der: Uint8Array): Promise<RevocationPlaces> {
  const x509 = await loadX509()
  const certificate = new x509.X509Certificate(Uint8Array.from(der))
  const lists = certificate.getExtension(x509.CRLDistributionPointsExtension)?.distributionPoints ?? []
  const names = lists.flatMap(({ distributionPoint }) => distributionPoint?.fullName ?? [])
  const servers = certificate.getExtension(x509.AuthorityInfoAccessExtension)?.ocsp ?? []
  return {
    crl: firstUrl(names.map(({ uniformResourceIdentifier: url }) => url)),
    ocsp: firstUrl(servers.map(({ type, value }) => (type === 'url' ? value : undefined))),
  }
}

function firstUrl(urls: readonly (string | undefined)[]): string | undefined {
  return urls.find(url => url !== undefined && /^https?:\/\//i.test(url))
}
