/** How the log of the daemon has fared. */
export interface LogCounters {
  /** Lines that were not written, as too many were waiting. */
  dropped: number
}
