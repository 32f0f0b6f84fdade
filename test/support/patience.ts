/** How long tests wait for expected events. */

/** Only ends tests that hang: many times what a busy machine needs. Set by `TEST_PATIENCE_MS`. */
export const PATIENCE_MS = Number(process.env['TEST_PATIENCE_MS'] ?? 60_000)
