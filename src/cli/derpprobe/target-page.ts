/** `/probe?target=`: probes any relay, for exporters that scrape many targets through one prober. */

import type { DERPNode } from '../../derpmap/types.ts'
import { firstHeader } from '../../http/header.ts'
import type { Page } from '../../http/page.ts'
import { queryOf } from '../../http/query.ts'
import { errorReply, replyOf } from '../../http/reply.ts'
import { abortable } from '../../lib/abort.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { lookUpName } from '../../lib/names/node-name-lookup.ts'
import { Slots } from '../../lib/slots.ts'
import type { MonitorPorts } from '../../monitor/ports.ts'
import { probeTarget } from '../../monitor/target-probe.ts'
import { parseRelayTarget } from '../derp-map/relay-target.ts'

const EXPOSITION = 'text/plain; version=0.0.4; charset=utf-8'
const TEXT = 'text/plain; charset=utf-8'
/** In the range of private regions. */
const REGION_ID = 900
const TIMEOUT_MS = 10_000
/** Milliseconds for the response to reach the scraper. */
const MARGIN_MS = 500
const MIN_TIMEOUT_MS = 1_000
const MAX_TIMEOUT_MS = 60_000
/** Targets probed side by side. */
const MAX_TARGETS = 16

/**
 * Probes `?target=`, a host, `host:port` or URL; `stun=PORT` is for STUN elsewhere, `stun=off` for none. `debug=true` tells
 * in words what came of it.
 */
export function targetPage(ports: MonitorPorts, logins: Slots | undefined): Page {
  const slots = new Slots(MAX_TARGETS)
  return async request => {
    const query = queryOf(request)
    let node: DERPNode
    try {
      node = nodeOf(query)
    } catch (error) {
      if (!(error instanceof DerpError)) throw error
      return errorReply(400, error.message)
    }
    const timeoutMs = timeoutOf(firstHeader(request, 'x-prometheus-scrape-timeout-seconds'))
    return slots.run('probe target', request.left, async () => {
      const target = { node: await withAddresses(node, request.left), timeoutMs, logins }
      const { metrics, lines } = await probeTarget(target, ports, request.left)
      if (query.get('debug') === 'true') return replyOf(200, TEXT, `${lines.join('\n')}\n\n${metrics}`)
      return replyOf(200, EXPOSITION, metrics, { 'Cache-Control': 'no-store' })
    })
  }
}

/** @throws DerpError for parameters that make no sense. */
function nodeOf(query: URLSearchParams): DERPNode {
  const target = query.get('target') ?? ''
  if (target === '') throw invalid('missing target parameter, such as ?target=relay.example:443')
  const { host, port } = parseRelayTarget(target)
  const stun = query.get('stun') ?? ''
  if (!/^(?:|off|\d{1,5})$/.test(stun) || Number(stun) > 65_535)
    throw invalid(`stun parameter ${JSON.stringify(stun)}: neither a port nor "off"`)
  const STUNPort = stun === 'off' ? -1 : Number(stun)
  return { Name: host, RegionID: REGION_ID, HostName: host, DERPPort: port, STUNPort }
}

/** Without them only the name is known, and STUN is asked by address. */
async function withAddresses(node: DERPNode, signal: AbortSignal): Promise<DERPNode> {
  const addresses = await abortable(lookUpName(node.HostName), signal, `look up ${node.HostName}`).catch(() => [])
  const ofFamily = (family: number) => addresses.find(each => each.family === family)?.address
  const [IPv4, IPv6] = [ofFamily(4), ofFamily(6)]
  return { ...node, ...(IPv4 !== undefined && { IPv4 }), ...(IPv6 !== undefined && { IPv6 }) }
}

/** A little less than the scraper's timeout. */
function timeoutOf(seconds: string | undefined): number {
  const ms = Number(seconds) * 1_000 - MARGIN_MS
  if (!(ms > 0)) return TIMEOUT_MS
  return Math.min(MAX_TIMEOUT_MS, Math.max(MIN_TIMEOUT_MS, ms))
}

const invalid = (message: string) => new DerpError('ERR_DERP_CONFIG_INVALID', message)
