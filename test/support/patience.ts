/** How long tests wait for what must come. */

/** Ends what hangs, and decides nothing: many times what a busy machine takes. `TEST_PATIENCE_MS` sets another. */
export const PATIENCE_MS = Number(process.env['TEST_PATIENCE_MS'] ?? 60_000)
