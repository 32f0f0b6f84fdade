/** The result of looking up a host name. */

import type { IpFamily } from '../address-port.ts'

export interface NameAddress {
  readonly address: string
  readonly family: IpFamily
}

/** Gives at least one address, in the resolver's order; rejects with an error whose code is like `ENOTFOUND`. */
export type NameLookup = (host: string, family?: IpFamily) => Promise<readonly NameAddress[]>
