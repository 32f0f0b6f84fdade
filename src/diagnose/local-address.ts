/** Addresses that are only valid within one network. Pure. */

const LOCAL =
  /^(?:10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd][\da-f]{2}:|fe[89ab][\da-f]:|::1$)/i

/** Whether an address is private, link-local or loopback (RFC 1918, 3927, 4193, 4291). */
export function isLocalOnly(address: string): boolean {
  return LOCAL.test(address)
}
