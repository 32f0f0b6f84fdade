/** An input for which an invariant does not hold. */

export interface Finding {
  /** What went wrong, in one line. */
  readonly message: string
  /** Where. */
  readonly stack: string
  readonly input: Uint8Array
}

export function findingOf(error: unknown, input: Uint8Array): Finding {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  return { message: `${error instanceof Error ? error.name : 'thrown'}: ${message}`, stack, input }
}

/** Whether two findings have one cause, as far as one can tell. */
export function isAlike(one: Finding, other: Finding): boolean {
  return placeOf(one) === placeOf(other)
}

/** Where it was thrown, or what was said. */
function placeOf({ message, stack }: Finding): string {
  return /\n\s+at .*/.exec(stack)?.[0] ?? message
}
