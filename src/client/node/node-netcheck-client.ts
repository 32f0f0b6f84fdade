/**
 * A client for measuring the way to relays, which logs in nowhere.
 *
 * Clauses: P-226.
 */

import type { DERPRegion } from '../../derpmap/types.ts'
import type { AddressFamilySelector } from '../ports.ts'
import { NodeTransport } from './node-dial.ts'
import type { NodeTransportOptions, RegionTls } from './node-dial-options.ts'

/** Options of {@link netcheckClient}. */
export type NetcheckClientOptions = Omit<NodeTransportOptions, 'urlDialer' | 'useHttp'>

/** Can do one thing only. */
export interface NetcheckClient {
  /** Connects to the first node of a region that answers, does the TLS handshake and stops there. 10 s at most. */
  dialRegionTls(region: DERPRegion, signal?: AbortSignal): Promise<RegionTls>
  setAddressFamilySelector(selector: AddressFamilySelector): void
}

/** @throws DerpError for a proxy that cannot be used. */
export function netcheckClient(options: NetcheckClientOptions = {}): NetcheckClient {
  const transport = new NodeTransport(options)
  return {
    dialRegionTls: (region, signal) => transport.dialRegionTls(region, signal),
    setAddressFamilySelector: selector => transport.setAddressFamilySelector(selector),
  }
}
