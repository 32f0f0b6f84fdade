/**
 * The data of the status page, from server to browser.
 *
 * Types without imports, because both sides use them.
 */

/** How a value is written. */
export type Unit = 'count' | 'bytes' | 'ms' | 'seconds'

/** One number with its name. */
export interface StatusRow {
  /** Name and labels in `/debug/varz`; undefined for what is derived. */
  readonly metric?: string
  readonly label: string
  readonly value: number
  readonly unit: Unit
}

/** A table of numbers. */
export interface StatusGroup {
  readonly id: string
  readonly title: string
  readonly rows: readonly StatusRow[]
}

/** A table of texts. */
export interface StatusList {
  readonly id: string
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export type Level = 'well' | 'degraded' | 'failing'

/** Something that is wrong, and what to do about it. */
export interface Problem {
  readonly level: Exclude<Level, 'well'>
  readonly text: string
  readonly fix: string
}

/** The state of the relay, in words. */
export interface Verdict {
  readonly level: Level
  readonly text: string
  /** The worst first. */
  readonly problems: readonly Problem[]
}

/** Rates between two reports, for the charts. */
export interface ChartPoint {
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly packetsReceived: number
  readonly packetsSent: number
  readonly packetsDropped: number
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly logins: number
  readonly clients: number
  /** Mean milliseconds that packets were queued; null when there were none. */
  readonly queueAgeMs: number | null
  /** The longest delay of the event loop lately, in milliseconds; null when it was not measured. */
  readonly eventLoopDelayMs: number | null
}

export interface StatusReport {
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly version: string
  readonly uptimeSeconds: number
  readonly verdict: Verdict
  readonly groups: readonly StatusGroup[]
  readonly lists: readonly StatusList[]
  /** Undefined in the first report after a time without viewers. */
  readonly point: ChartPoint | undefined
}

/** Columns by which clients can be sorted. */
export const CLIENT_COLUMNS = ['key', 'address', 'age', 'received', 'sent', 'rate', 'queued', 'rtt', 'app'] as const
export type ClientColumn = (typeof CLIENT_COLUMNS)[number]

/** One connected client. */
export interface ClientRow {
  readonly connNum: number
  readonly key: string
  readonly address: string
  readonly ageSeconds: number
  readonly received: number
  readonly sent: number
  /** Bytes per second, both ways together. */
  readonly rate: number
  readonly queued: number
  /** Milliseconds; null where clients are not pinged. */
  readonly rtt: number | null
  readonly app: string
  readonly flags: string
}

/** Some rows of the table in its order. */
export interface ClientRows {
  /** All clients, and those that match the filter. */
  readonly total: number
  readonly matching: number
  readonly offset: number
  readonly rows: readonly ClientRow[]
}
