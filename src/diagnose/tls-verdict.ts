/** Checks the certificates that a server presents. */

import { isMetaCertificate } from '../client/dial/meta-certificate.ts'
import type { PeerCertificate } from '../client/ports.ts'
import type { CertificateRule, DerpEndpoint } from '../derpmap/endpoint.ts'
import { connectionFault } from '../lib/connection-fault.ts'
import type { CauseId } from './cause.ts'
import type { TlsInspection } from './platform.ts'
import { isInterceptor } from './proxy-kind.ts'
import { type Fault, failed, passed, type Verdict, warning } from './verdict.ts'

const DAY_MS = 86_400_000
/** Automatically renewed certificates have weeks left. */
const SOON_DAYS = 7

/** @param serverTimeMs returns the server's time; undefined if it is not known. */
export async function judgeCertificates(
  inspection: TlsInspection,
  endpoint: DerpEndpoint,
  nowMs: number,
  serverTimeMs: () => Promise<number | undefined>,
): Promise<Verdict> {
  const chain = inspection.certificates.filter(each => !isMetaCertificate(each))
  const [leaf] = chain
  const rule = endpoint.certificate
  if (leaf === undefined) return failed('no-certificate', inspection.version)
  const until = leaf.validToDate.toISOString().slice(0, 10)
  if (rule.kind === 'any') return passed(`${inspection.version}, any certificate is accepted`)
  const fault =
    (rule.kind === 'pin' ? pinFault(chain, leaf, rule) : undefined) ??
    (await dateFault(leaf, nowMs, serverTimeMs)) ??
    (rule.kind === 'name' ? chainFault(inspection, leaf, chain.length) : undefined) ??
    nameFault(inspection, leaf, rule.name)
  if (fault !== undefined) return fault
  const daysLeft = Math.floor((leaf.validToDate.getTime() - nowMs) / DAY_MS)
  if (daysLeft < SOON_DAYS) return warning('expires-soon', `on ${until}, in ${daysLeft} days`)
  const how = rule.kind === 'pin' ? 'pinned' : `issued by ${nameOf(leaf.issuer)}`
  return passed(`${inspection.version}, certificate ${how}, until ${until}`)
}

function pinFault(
  chain: readonly PeerCertificate[],
  leaf: PeerCertificate,
  { sha256 }: CertificateRule & { readonly kind: 'pin' },
): Fault | undefined {
  const shown = sha256Of(leaf)
  if (shown !== sha256) return failed('wrong-pin', `pinned ${sha256.slice(0, 16)}…, shown sha256-raw:${shown}`)
  return chain.length > 1 ? failed('pin-with-chain', `${chain.length - 1} sent along`) : undefined
}

/** If the certificate is valid by the server's clock, the local clock is wrong: servers nearly always use NTP. */
async function dateFault(
  { validFromDate, validToDate }: PeerCertificate,
  nowMs: number,
  serverTimeMs: () => Promise<number | undefined>,
): Promise<Fault | undefined> {
  const isExpired = nowMs > validToDate.getTime()
  if (!isExpired && nowMs >= validFromDate.getTime()) return undefined
  const serverMs = await serverTimeMs()
  if (serverMs !== undefined && serverMs >= validFromDate.getTime() && serverMs <= validToDate.getTime()) {
    return failed('clock-off', `here it is ${textOf(nowMs)}, at the server ${textOf(serverMs)}`)
  }
  return isExpired
    ? failed('expired', `at ${validToDate.toISOString()}`)
    : failed('not-yet-valid', `valid from ${validFromDate.toISOString()}`)
}

function sha256Of({ fingerprint256 }: PeerCertificate): string {
  return fingerprint256.replaceAll(':', '').toLowerCase()
}

function textOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
}

function chainFault(
  { chainError, namesIssuer, hasWeakKey }: TlsInspection,
  leaf: PeerCertificate,
  sent: number,
): Fault | undefined {
  if (chainError === undefined) return undefined
  // Of a self-signed certificate, the pin is what fixes it.
  const detail = leaf.issuer === leaf.subject ? `sha256-raw:${sha256Of(leaf)}` : `issued by ${nameOf(leaf.issuer)}`
  if (hasWeakKey) return failed('weak-key', detail)
  const id: CauseId = connectionFault(Object.assign(new Error(chainError), { code: chainError }))?.id ?? 'bad-chain'
  if (id === 'bad-chain') return failed(id, `${chainError}, ${detail}`)
  if (id !== 'untrusted' && id !== 'unverified') return failed(id, detail)
  if (isInterceptor(leaf.issuer)) return failed('intercepted', detail)
  if (leaf.issuer === leaf.subject) return failed('self-signed', detail)
  // Public CAs state the URL of their certificate (AIA), private ones hardly ever do.
  return failed(sent === 1 && namesIssuer ? 'incomplete-chain' : 'untrusted', detail)
}

function nameFault({ isValidFor }: TlsInspection, leaf: PeerCertificate, name: string): Fault | undefined {
  if (isValidFor(name)) return undefined
  const names = leaf.subjectAltName
  if (names === undefined) return failed('no-name', `asked for ${name}`)
  return failed('wrong-name', `valid for ${names}, asked for ${name}`)
}

/** The common name, or organization, of a distinguished name. */
function nameOf(distinguished: string): string {
  const attributes = distinguished.split('\n')
  const found = ['CN=', 'O='].map(prefix => attributes.find(line => line.startsWith(prefix))?.slice(prefix.length))
  return found.find(each => each !== undefined) ?? distinguished.replaceAll('\n', ', ')
}
