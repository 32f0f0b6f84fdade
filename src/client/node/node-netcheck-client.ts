/**
 * A client for measuring latency to relays, without login.
 *
 * Clauses: P-226.
 */

import type { DERPRegion } from '../../derpmap/types.ts'
import type { AddressFamilySelector } from '../ports.ts'
import { NodeTransport } from './node-dial.ts'
import type { NodeTransportOptions, RegionTls } from './node-dial-options.ts'

/** Options of {@link netcheckClient}. */
export type NetcheckClientOptions = Omit<NodeTransportOptions, 'urlDialer' | 'useHttp'>

/** Only dials. */
export interface NetcheckClient {
  /** Dials the first reachable node of a region, completes the TLS handshake and stops there. 10 s at most. */
  dialRegionTls(region: DERPRegion, signal?: AbortSignal): Promise<RegionTls>
  /** Decides whether IPv6 gets a head start, from the next dial on. */
  setAddressFamilySelector(selector: AddressFamilySelector): void
}

/**
 * A dialler without a key, for measuring the TLS handshake of a region's relays.
 *
 * @throws DerpError for an unusable proxy.
 * @example
 * ```ts
 * const region = requireRegion(map, 900)
 * const startMs = performance.now()
 * const { socket } = await netcheckClient().dialRegionTls(region)
 * console.log(performance.now() - startMs, 'ms')
 * socket.destroy()
 * ```
 */
export function netcheckClient(options: NetcheckClientOptions = {}): NetcheckClient {
  const transport = new NodeTransport(options)
  return {
    dialRegionTls: (region, signal) => transport.dialRegionTls(region, signal),
    setAddressFamilySelector: selector => transport.setAddressFamilySelector(selector),
  }
}
