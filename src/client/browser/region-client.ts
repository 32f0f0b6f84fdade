/** A region client for pages; separate from the client of one relay, which needs no DERP map code. */

import { formatNode, resolveEndpoint } from '../../derpmap/endpoint.ts'
import type { DERPNode } from '../../derpmap/types.ts'
import type { PrivateKey } from '../../keys/private-key.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { silentLog } from '../../lib/log.ts'
import type { Conn } from '../../transport/conn.ts'
import type { RegionSource } from '../connector.ts'
import { dialRegion, withinSecureTime } from '../dial/region-dial.ts'
import type { DialedConn, DialRequest } from '../ports.ts'
import { BrowserClient, type BrowserClientOptions } from './browser-client.ts'
import { WebSocketTransport } from './websocket-transport.ts'

/**
 * A client of a region of a DERP map: connects to the first relay whose WebSocket opens; each gets 3 s.
 *
 * @example
 * ```ts
 * const client = new RegionClient(privateKey, () => map.Regions?.[900])
 * ```
 */
export class RegionClient extends BrowserClient {
  /**
   * Opens nothing yet.
   *
   * @param getRegion called at each connection attempt, so that the region may change or be missing for a while.
   * @throws DerpError for an unusable key or option.
   */
  constructor(privateKey: PrivateKey, getRegion: RegionSource, options: BrowserClientOptions = {}) {
    super(privateKey, getRegion, { ...options, transport: options.transport ?? new RegionTransport(options) })
  }
}

/** Dials regions node by node. */
class RegionTransport extends WebSocketTransport {
  override async dial(request: DialRequest): Promise<DialedConn> {
    const { target, signal } = request
    if ('url' in target) return super.dial(request)
    const { log = silentLog } = this.options
    const connect = (node: DERPNode, stop: AbortSignal) => this.#openNode(node, stop)
    const { node, connection } = await dialRegion({ region: target.region, signal, log, connect })
    return { conn: connection, node }
  }

  async #openNode(node: DERPNode, signal: AbortSignal): Promise<Conn> {
    const { certificate, url } = resolveEndpoint(node, { useHttp: this.options.useHttp })
    // The browser verifies certificates, and only by host name.
    if (certificate.kind === 'pin') throw pinned(node)
    const dial = { node, clock: this.clock, signal, discard: (late: Conn) => late.destroy() }
    return withinSecureTime(dial, stop => this.open(url, stop))
  }
}

function pinned(node: DERPNode): DerpError {
  const reason = 'CertName pins a certificate, which a browser cannot check'
  return new DerpError('ERR_DERP_NODE_INVALID', `reach ${formatNode(node)}: ${reason}`, { clause: 'P-144' })
}
