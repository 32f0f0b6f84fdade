/** Whether TLS works, and whether clients accept the certificate. */

import { decodeUtf8 } from '../../lib/bytes.ts'
import { connectionFault } from '../../lib/connection-fault.ts'
import { oneLine } from '../../lib/one-line.ts'
import type { Conn } from '../../transport/conn.ts'
import { exchange, formatGet } from '../http-exchange.ts'
import { type Examination, type Step, withinLimit } from '../step.ts'
import { judgeCertificates } from '../tls-verdict.ts'
import { blocked, type Fault, failed, messageOf, skipped, type Verdict } from '../verdict.ts'

/** Milliseconds to find out which protocol a port without TLS speaks. */
const PLAIN_TIMEOUT_MS = 1_500

export const tls: Step = {
  id: 'tls',
  title: 'TLS',
  layer: 'TLS',
  after: ['dns'],
  silence: 'tls-silent',
  needs: ({ inspectTls }) => inspectTls !== undefined,
  async run(examination, signal) {
    const { target, platform, findings } = examination
    const { endpoint } = target
    const { route } = findings
    if (route === undefined) return blocked('no address accepts connections')
    if (endpoint.url.protocol === 'http:') return skipped('the URL says http')
    if (platform.inspectTls === undefined) return skipped(`not possible in ${platform.name}`)
    try {
      const inspection = await platform.inspectTls(route, endpoint, signal)
      findings.tls = inspection
      const serverTimeMs = () => readServerTime(examination, inspection.conn, signal)
      try {
        return await judgeCertificates(inspection, endpoint, platform.clock.wallNow(), serverTimeMs)
      } finally {
        inspection.conn.destroy()
      }
    } catch (error) {
      if (signal.aborted) throw error
      return handshakeFault(examination, error, signal)
    }
  },
}

/** The server's time by its HTTP Date header, requested over an unverified connection. */
async function readServerTime(examination: Examination, conn: Conn, signal: AbortSignal): Promise<number | undefined> {
  const { platform, target } = examination
  try {
    const get = formatGet(target.endpoint.url)
    const answer = await withinLimit(
      examination,
      stop => exchange(conn, get, platform.clock, stop),
      signal,
      PLAIN_TIMEOUT_MS,
    )
    const date = answer.kind === 'response' ? Date.parse(answer.headers.get('date') ?? '') : Number.NaN
    return Number.isNaN(date) ? undefined : date
  } catch {
    return undefined
  }
}

async function handshakeFault(examination: Examination, error: unknown, signal: AbortSignal): Promise<Verdict> {
  const id = connectionFault(error)?.id
  if (id === 'not-tls' || id === undefined) return (await nameOther(examination, signal)) ?? closed(error)
  if (id === 'reset') return closed(error)
  return failed(id, messageOf(error))
}

function closed(error: unknown): Fault {
  return failed('tls-closed', messageOf(error))
}

/** Which protocol the port speaks instead of TLS; undefined if unknown. */
async function nameOther(examination: Examination, signal: AbortSignal): Promise<Fault | undefined> {
  const { platform, findings, target } = examination
  const { route } = findings
  if (route === undefined || platform.openTcp === undefined) return undefined
  const { openTcp } = platform
  const get = formatGet(target.endpoint.url)
  try {
    const answer = await withinLimit(
      examination,
      async stop => exchange(await openTcp(route, stop), get, platform.clock, stop),
      signal,
      PLAIN_TIMEOUT_MS,
    )
    if (answer.kind === 'response') return failed('plain-http', `HTTP status ${answer.status} without TLS`)
    if (answer.kind === 'closed') return undefined
    const begin = oneLine(decodeUtf8(answer.bytes.subarray(0, 40)), 40)
    return failed('other-protocol', `received ${JSON.stringify(begin)}`)
  } catch {
    return undefined
  }
}
