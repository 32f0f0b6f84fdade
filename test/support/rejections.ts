/** Looks at several promises at once, so that none is rejected while another is awaited. */

/** What each of `calls` was rejected with; fails if one was not. */
export async function rejectionsOf(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  return (await Promise.allSettled(calls)).map((outcome, i) => {
    if (outcome.status === 'rejected') return outcome.reason
    throw new Error(`wait for rejection of call ${i}: it was fulfilled`)
  })
}
