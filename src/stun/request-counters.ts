/** What became of requests, finer than the original counts it (P-185): by family of the source and by reason. */

/** The families of sources; an IPv4-mapped address counts as IPv4. */
export interface FamilyCounts {
  ipv4: number
  ipv6: number
}

/** Reasons why a datagram got no address, in the order in which they are looked for. */
export const STUN_REFUSAL_REASONS = [
  'notStun',
  'notBindingRequest',
  'wrongLength',
  'malformedAttributes',
  'wrongSoftware',
  'noFingerprint',
  'wrongFingerprint',
  'unknownAttributes',
  'rateLimited',
] as const

/** Why a datagram got no address. */
export type StunRefusalReason = (typeof STUN_REFUSAL_REASONS)[number]

/** Counts since the start. */
export interface StunRequestCounters {
  /** Requests of nodes (P-180) that were answered. */
  readonly fromNodes: FamilyCounts
  /** Other requests that were answered (P-184). */
  readonly plain: FamilyCounts
  readonly refused: Readonly<Record<StunRefusalReason, FamilyCounts>>
}

export function createStunRequestCounters(): StunRequestCounters {
  const refused = Object.fromEntries(STUN_REFUSAL_REASONS.map(reason => [reason, noCounts()]))
  return {
    fromNodes: noCounts(),
    plain: noCounts(),
    refused: refused as Record<StunRefusalReason, FamilyCounts>,
  }
}

function noCounts(): FamilyCounts {
  return { ipv4: 0, ipv6: 0 }
}
