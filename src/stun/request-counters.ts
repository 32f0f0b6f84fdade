/** Request outcomes in more detail than the original (P-185): by source family and by reason. */

/** Counts by source family; an IPv4-mapped address counts as IPv4. */
export interface FamilyCounts {
  /** From IPv4 addresses. */
  ipv4: number
  /** From IPv6 addresses. */
  ipv6: number
}

/** Why a datagram got no address, in the order of the checks. */
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
  /** Answered requests of nodes. */
  readonly fromNodes: FamilyCounts
  /** Answered requests of other clients. */
  readonly plain: FamilyCounts
  /** Datagrams without an answer, by reason. */
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
