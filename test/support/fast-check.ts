/** fast-check with a fixed seed, so that results are reproducible. */

import fc from 'fast-check'

/** `FAST_CHECK_SEED` sets another, to search for new failures. */
const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_260_801)
if (!Number.isSafeInteger(seed)) throw new Error(`read FAST_CHECK_SEED: not a whole number`)
fc.configureGlobal({ seed })

export { fc }
