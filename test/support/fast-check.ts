/** fast-check with a seed that does not change: a property that holds in one run holds in all. */

import fc from 'fast-check'

/** `FAST_CHECK_SEED` tries others, as a search for new faults does. */
const seed = Number(process.env['FAST_CHECK_SEED'] ?? 20_260_801)
if (!Number.isSafeInteger(seed)) throw new Error(`read FAST_CHECK_SEED: not a whole number`)
fc.configureGlobal({ seed })

export { fc }
