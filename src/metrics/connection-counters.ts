/** Numbers of the connections that listeners take, before anything is known of them but the source. */

/** Why a connection was closed as soon as it had been accepted, or never was: a closed list, each with its counter (P-108, P-109). */
export const RefusalReason = {
  /** The listener had taken as many new connections as it may. */
  Rate: 'rate',
  /** The source had opened as many new connections as it may. */
  SourceRate: 'source_rate',
  /** As many connections as there may be were open. */
  Connections: 'connections',
  /** As many connections of one source as there may be were open. */
  SourceConnections: 'source_connections',
  /** The system could not accept it. */
  System: 'system',
} as const
export type RefusalReason = (typeof RefusalReason)[keyof typeof RefusalReason]

/** All reasons. */
export const REFUSAL_REASONS: readonly RefusalReason[] = Object.values(RefusalReason)

export class ConnectionCounters {
  /** Connections that are open now, of all listeners, whatever they carry. */
  open = 0
  /** Connections that were taken. */
  accepted = 0
  readonly refused: Record<RefusalReason, number> = Object.fromEntries(
    REFUSAL_REASONS.map(reason => [reason, 0]),
  ) as Record<RefusalReason, number>
}
