/** Probes a running relay the way clients will connect, to find out what its DERP map entry must say. */

import { createHash } from 'node:crypto'
import { readServerKey } from '../../client/dial/meta-certificate.ts'
import { TlsFailedError } from '../../client/dial/tls-failure.ts'
import { NodeClient } from '../../client/node/node-client.ts'
import { NodeTransport } from '../../client/node/node-dial.ts'
import { formatNode } from '../../derpmap/endpoint.ts'
import type { DERPNode, DERPRegion } from '../../derpmap/types.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import { ipFamilyOf } from '../../lib/address-port.ts'
import { DerpError, isDerpError } from '../../lib/derp-error.ts'
import { stunBinding } from '../../stun/client.ts'
import { STUN_PORT } from '../../stun/constants.ts'
import { authoritiesWith } from '../trust.ts'
import { answersPlainHttp } from './plain-http.ts'
import type { RelayTarget } from './relay-target.ts'

/** A node without the names that the operator chooses. */
export type SurveyedNode = Omit<DERPNode, 'Name' | 'RegionID'>

export interface RelaySurvey {
  readonly node: SurveyedNode
  /** Remarks for the operator. */
  readonly notes: readonly string[]
}

export interface SurveyOptions {
  /** PEM file with additional CAs that clients trust. */
  readonly caFile?: string | undefined
  /** STUN port of the relay. Default {@link STUN_PORT}. */
  readonly stunPort?: number | undefined
  /** Port to probe for captive portal detection. Default 80; for tests. */
  readonly plainPort?: number | undefined
  /** Milliseconds to wait for a STUN response. Default 3 s. */
  readonly stunTimeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

const TLS_PORT = 443
const STUN_TIMEOUT_MS = 3_000

/** @throws DerpError when clients could not use the relay. */
export async function surveyRelay(target: RelayTarget, options: SurveyOptions = {}): Promise<RelaySurvey> {
  const { host, port } = target
  const bare = { HostName: host, ...(port !== TLS_PORT && { DERPPort: port }) }
  const [certificate, stun, canPort80] = await Promise.all([
    surveyCertificate(bare, options),
    surveyStun(host, options),
    answersPlainHttp(host, options.plainPort ?? 80, options.signal),
  ])
  const node = {
    ...bare,
    ...certificate.fields,
    ...stun.fields,
    ...(canPort80 && { CanPort80: true }),
  }
  return { node, notes: [...certificate.notes, ...stun.notes].map(note => `${host}: ${note}`) }
}

interface Finding {
  readonly fields: Partial<SurveyedNode>
  readonly notes: readonly string[]
}

/** Connects as clients do: trusting public CAs, else those of the file, else only this certificate. */
async function surveyCertificate(node: SurveyedNode, options: SurveyOptions): Promise<Finding> {
  const { caFile, signal } = options
  if (await isTrusted(node, [], signal)) return { fields: {}, notes: [] }
  if (caFile !== undefined) {
    if (!(await isTrusted(node, await authoritiesWith(caFile), signal))) throw untrusted(node, caFile)
    return { fields: {}, notes: [`every client must have the CA of ${caFile} installed`] }
  }
  const { CertName, until } = await readPin(node, signal)
  await logIn({ ...node, CertName }, [], signal).catch(error => {
    throw unpinnable(error)
  })
  return {
    fields: { CertName },
    notes: [
      `the pinned certificate expires on ${until.toISOString().slice(0, 10)}; update the pin when you replace it`,
    ],
  }
}

/** @throws DerpError for any failure but an unknown CA. */
async function isTrusted(node: SurveyedNode, ca: readonly string[], signal?: AbortSignal): Promise<boolean> {
  try {
    await logIn(node, ca, signal)
    return true
  } catch (error) {
    if (tlsFailureOf(error)?.reason === 'untrusted') return false
    throw error
  }
}

/** Connects until the relay has sent its key: proof of a relay even if it does not admit us. */
async function logIn(node: SurveyedNode, ca: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  const region = regionOf(node)
  const tlsConfig = ca.length === 0 ? {} : { ca: [...ca] }
  const client = NodeClient.forRegion(NodePrivateKey.generate(), () => region, { tlsConfig })
  try {
    await client.connect(signal)
  } finally {
    await client.close()
  }
}

async function readPin(node: SurveyedNode, signal?: AbortSignal): Promise<{ CertName: string; until: Date }> {
  const transport = new NodeTransport()
  const { tls, close } = await transport.dialRegionTls(regionOf({ ...node, InsecureForTests: true }), signal)
  close()
  const [certificate] = tls.peerCertificates
  if (certificate === undefined || readServerKey([certificate]) !== undefined) {
    throw new DerpError('ERR_DERP_TLS_FAILED', `read certificate of ${node.HostName}: none was presented`)
  }
  const hash = createHash('sha256').update(certificate.raw).digest('hex')
  return { CertName: `sha256-raw:${hash}`, until: certificate.validToDate }
}

async function surveyStun(host: string, options: SurveyOptions): Promise<Finding> {
  const { stunPort: port = STUN_PORT, stunTimeoutMs: timeoutMs = STUN_TIMEOUT_MS, signal } = options
  const family = ipFamilyOf(host)
  const sockets = family === undefined ? (['udp4', 'udp6'] as const) : ([`udp${family}`] as const)
  const requests = sockets.map(socketType => stunBinding({ host, port, timeoutMs, socketType, signal }))
  const isAnswered = await Promise.any(requests).then(
    () => true,
    () => false,
  )
  if (isAnswered) return { fields: port === STUN_PORT ? {} : { STUNPort: port }, notes: [] }
  return { fields: { STUNPort: -1 }, notes: [`no STUN response on UDP port ${port}; STUN is disabled in the map`] }
}

function regionOf(node: SurveyedNode): DERPRegion {
  const id = { RegionID: 900 }
  return { ...id, RegionCode: 'survey', RegionName: 'survey', Nodes: [{ Name: '900a', ...id, ...node }] }
}

function tlsFailureOf(error: unknown): TlsFailedError | undefined {
  for (let inner = error; isDerpError(inner); inner = inner.cause) if (inner instanceof TlsFailedError) return inner
  return undefined
}

function untrusted(node: SurveyedNode, caFile: string): DerpError {
  const name = formatNode({ Name: '', RegionID: 0, ...node })
  const fix = 'pass the CA that signed it, or omit --ca to pin the certificate'
  return new DerpError(
    'ERR_DERP_TLS_FAILED',
    `check ${name}: its certificate is not signed by a CA of ${caFile}; ${fix}`,
  )
}

function unpinnable(error: unknown): DerpError {
  const reason = error instanceof Error ? error.message : String(error)
  const fix = 'pass its CA by --ca, or serve a self-signed certificate without a chain'
  return new DerpError('ERR_DERP_TLS_FAILED', `pin certificate: ${reason}; ${fix}`, { cause: error })
}
