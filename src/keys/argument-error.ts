/** Errors about arguments of a wrong type: call, argument, what it is, and what fixes it. */

/**
 * `send packet: data is a string, not a Uint8Array; …`
 *
 * @param wanted what it should be, with its article.
 * @param ofText the call that makes one from a string.
 */
export function argumentError(
  action: string,
  argument: string,
  value: unknown,
  wanted: string,
  ofText?: string,
): TypeError {
  const fix = value instanceof Promise ? 'await it' : typeof value === 'string' ? ofText : undefined
  const what = `${action}: ${argument} is ${typeName(value)}, not ${wanted}`
  return new TypeError(fix === undefined ? what : `${what}; ${fix}`)
}

/** `a string`, `undefined`, `an ArrayBuffer`: never the value, which may be a secret. */
function typeName(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  const name = typeof value === 'object' ? (value.constructor?.name ?? 'object') : typeof value
  // Not `u`: the names that begin with it, such as Uint8Array, sound like "you".
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name}`
}
