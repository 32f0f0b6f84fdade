/** Numbers of the region protocol. */

/** Milliseconds between two beats (P-300). */
export const BEAT_MS = 1_000
/** Milliseconds that a relay listens before its first beat, so that it meets all others (P-301). */
export const LISTEN_MS = 1_500
/** Milliseconds without a beat after which a relay is dead, if its link is down as well (P-316). */
export const DEAD_MS = 5_000
/** Milliseconds for which here and gone are collected into one message (P-305). */
export const COLLECT_MS = 5
/** Keys in one message: 40 KB. */
export const MAX_KEYS = 1_000
/** Milliseconds between two parts of a list of all keys: a million take ten seconds (P-313). */
export const LIST_PART_MS = 10
/** Milliseconds from a request for a relay's list, or its last part, to the next request (P-312). */
export const RESYNC_PAUSE_MS = 2_000
/** Milliseconds until relays that have not answered are asked again, and until the search is given up (P-308). */
export const ASK_AGAIN_MS = 500
export const GIVE_UP_MS = 2_000
/** Milliseconds for which it is remembered that nobody has a key, or that not all relays have answered (P-309). */
export const NOBODY_MS = 5_000
export const UNANSWERED_MS = 1_000
/** Keys of which that is remembered. */
export const MAX_NOBODIES = 50_000
/** Packets that wait for one destination, and keys and bytes of all that wait (P-310). */
export const MAX_WAITING_PACKETS = 32
export const MAX_WAITING_KEYS = 10_000
export const MAX_WAITING_BYTES: number = 16 << 20
/** Milliseconds after which an unused route is forgotten, and how many there may be (P-314). */
export const ROUTE_IDLE_MS = 120_000
export const MAX_ROUTES = 500_000
/** Milliseconds without a packet after which a link is closed (P-319). */
export const LINK_IDLE_MS = 120_000
/** Milliseconds after which a link that has failed may be opened again: from the least to the greatest. */
export const LINK_RETRY_MIN_MS = 100
export const LINK_RETRY_MAX_MS = 2_000
