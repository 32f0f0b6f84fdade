/** Constants of the region protocol. */

/** Milliseconds between beats (P-300). */
export const BEAT_MS = 1_000
/** Milliseconds that a relay listens before its first beat, to learn of all others (P-301). */
export const LISTEN_MS = 1_500
/** Milliseconds without a beat after which a relay is dead, if its link is down as well (P-316). */
export const DEAD_MS = 5_000
/** Milliseconds for which `here` and `gone` are batched into one message (P-305). */
export const COLLECT_MS = 5
/** Maximum number of keys in a message: 40 KB. */
export const MAX_KEYS = 1_000
/** Milliseconds between parts of a list: a million keys take ten seconds (P-313). */
export const LIST_PART_MS = 10
/** Milliseconds from a list request, or the last part received, to the next request (P-312). */
export const RESYNC_PAUSE_MS = 2_000
/** Milliseconds until relays without a response are queried again, and until the search fails (P-308). */
export const ASK_AGAIN_MS = 500
export const GIVE_UP_MS = 2_000
/** Milliseconds for which a key in packets from outside the region is not searched for: a mesh peer announces it (P-315). */
export const OUTSIDE_MS = 10_000
/** Milliseconds for which a negative or failed search is cached (P-309). */
export const NOBODY_MS = 5_000
export const UNANSWERED_MS = 1_000
/** Maximum number of cached keys. */
export const MAX_NOBODIES = 50_000
/** Limits of queued packets: per destination, and keys and bytes in total (P-310). */
export const MAX_WAITING_PACKETS = 32
export const MAX_WAITING_KEYS = 10_000
export const MAX_WAITING_BYTES: number = 16 << 20
/** Milliseconds until an unused route expires, and the maximum number of routes (P-314). */
export const ROUTE_IDLE_MS = 120_000
export const MAX_ROUTES = 500_000
/** Milliseconds without a packet after which a link is closed (P-319). */
export const LINK_IDLE_MS = 120_000
/** Milliseconds between checks of a link: whether it is used, and if so whether it works. */
export const LINK_LOOK_MS = 5_000
/** Milliseconds within which something must arrive over a link that is checked (P-316). */
export const LINK_CHECK_MS = 5_000
/** Minimum and maximum delay in milliseconds before a failed link is opened again. */
export const LINK_RETRY_MIN_MS = 100
export const LINK_RETRY_MAX_MS = 2_000
