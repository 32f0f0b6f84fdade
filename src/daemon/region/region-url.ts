/** Where the other relays of a region reach this one. Pure. */

import type { RegionSettings, TlsSettings } from '../settings.ts'

/** @param port the port that the relay listens on. */
export function regionUrl({ url, host }: RegionSettings, port: number, tls: TlsSettings | undefined): string {
  return url ?? new URL(`${tls === undefined ? 'http' : 'https'}://${host}:${port}/derp`).href
}
