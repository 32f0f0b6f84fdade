/** Awaits several promises at once, to avoid unhandled rejections. */

/** The rejection reasons of `calls`; throws if one is fulfilled. */
export async function rejectionsOf(calls: readonly Promise<unknown>[]): Promise<unknown[]> {
  return (await Promise.allSettled(calls)).map((outcome, i) => {
    if (outcome.status === 'rejected') return outcome.reason
    throw new Error(`wait for rejection of call ${i}: it was fulfilled`)
  })
}
