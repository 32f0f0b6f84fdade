/** Picks the node of a region: the first that connects (P-220, P-221). */

import { formatNode } from '../../derpmap/endpoint.ts'
import { formatRegion } from '../../derpmap/regions.ts'
import type { DERPNode, DERPRegion } from '../../derpmap/types.ts'
import type { Clock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import type { Log } from '../../lib/log.ts'
import { withTimeLimit } from '../../lib/time-limit.ts'
import { IDEAL_NODE_HEADER } from '../../protocol/constants.ts'

/** Milliseconds to connect to one node, DNS included (P-221). */
const NODE_TIMEOUT_MS = 1_500
/** Milliseconds for TLS and the upgrade at one node, where another one would be tried after it. */
const NODE_SECURE_TIMEOUT_MS = 3_000

export interface RegionDial<T> {
  readonly region: DERPRegion
  readonly signal: AbortSignal
  readonly log: Log
  readonly connect: (node: DERPNode, signal: AbortSignal) => Promise<T>
}

/** A connection and its node. */
export interface DialedNode<T> {
  readonly node: DERPNode
  readonly connection: T
}

/**
 * Tries the nodes of a region in order.
 *
 * @throws DerpError for a region without usable nodes, otherwise the first node's error.
 */
export async function dialRegion<T>({ region, signal, log, connect }: RegionDial<T>): Promise<DialedNode<T>> {
  const nodes = region.Nodes.filter(node => !node.STUNOnly)
  if (nodes.length === 0) throw withoutNodes(region)
  const errors: unknown[] = []
  for (const node of nodes) {
    try {
      return { node, connection: await connect(node, signal) }
    } catch (error) {
      if (signal.aborted) throw error
      errors.push(error)
      log.debug('node not reached', { region: region.RegionID, node: node.Name, reason: (error as Error).message })
    }
  }
  throw errors[0]
}

export interface NodeDial<T> {
  readonly node: DERPNode
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Disposes of a late connection. */
  readonly discard: (late: T) => void
}

/** Applies the per-node time limit. */
export function withinNodeTime<T>(dial: NodeDial<T>, connect: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return within(NODE_TIMEOUT_MS, 'not connected', dial, connect)
}

/** The same for TLS and the upgrade. */
export function withinSecureTime<T>(dial: NodeDial<T>, secure: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return within(NODE_SECURE_TIMEOUT_MS, 'TLS and upgrade not complete', dial, secure)
}

function within<T>(
  timeoutMs: number,
  state: string,
  { node, clock, signal, discard }: NodeDial<T>,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const action = `dial ${formatNode(node)}`
  const tooLate = () =>
    new DerpError('ERR_DERP_DIAL_TIMEOUT', `${action}: ${state} after ${timeoutMs} ms`, { clause: 'P-221' })
  return withTimeLimit({ clock, signals: [signal], discard, timeoutMs, action, tooLate }, work)
}

/** Headers that tell the reached node which one would have been ideal (P-225); none if it is the first. */
export function idealNodeHeaders(region: DERPRegion, reached: DERPNode): Readonly<Record<string, string>> {
  const [ideal] = region.Nodes
  if (ideal === undefined || ideal === reached || ideal.Name === '') return {}
  return { [IDEAL_NODE_HEADER]: ideal.Name.replace(/[^\x20-\x7e]/g, '?') }
}

function withoutNodes(region: DERPRegion): DerpError {
  const reason = region.Nodes.length === 0 ? 'no nodes' : 'only STUN-only nodes'
  return new DerpError('ERR_DERP_REGION_EMPTY', `dial ${formatRegion(region)}: ${reason}`, { clause: 'P-220' })
}
