/** Counters of the listeners' connections, before anything but their source is known. Clauses: P-108, P-109. */

/** Why a connection was closed on accept, or not accepted: a closed list, each with its counter. */
export const RefusalReason = {
  /** The listener's limit on new connections. */
  Rate: 'rate',
  /** The source's limit on new connections. */
  SourceRate: 'source_rate',
  /** The limit on open connections. */
  Connections: 'connections',
  /** The limit on open connections of one source. */
  SourceConnections: 'source_connections',
  /** Too little memory is left. */
  Memory: 'memory',
  /** The system could not accept it. */
  System: 'system',
} as const
export type RefusalReason = (typeof RefusalReason)[keyof typeof RefusalReason]

export const REFUSAL_REASONS: readonly RefusalReason[] = Object.values(RefusalReason)

/** Connections that were accepted, refused, and are open. */
export class ConnectionCounters {
  /** Open connections of all listeners, whatever they carry. */
  open = 0
  /** Connections that passed all limits. */
  accepted = 0
  /** Connections that a limit or the system refused, by reason. */
  readonly refused: Record<RefusalReason, number> = Object.fromEntries(
    REFUSAL_REASONS.map(reason => [reason, 0]),
  ) as Record<RefusalReason, number>
}
