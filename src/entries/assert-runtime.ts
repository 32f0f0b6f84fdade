/** Imported first by every entry: an old Node fails here, before it meets what it does not know. */

import { runtimeProblem } from '../lib/runtime-version.ts'

const { process } = globalThis as { readonly process?: { readonly versions?: Record<string, string> } }
const problem = runtimeProblem(process === undefined ? undefined : process.versions)
if (problem !== undefined) {
  const error = new Error(`load derphttp: ${problem}`)
  // Where it was thrown tells nothing.
  error.stack = error.message
  throw error
}
