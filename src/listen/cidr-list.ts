/** Lists of IP addresses and CIDR blocks: `10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`. */

import { BlockList, isIP } from 'node:net'
import { DerpError } from '../lib/derp-error.ts'

export class CidrList {
  readonly #blocks = new BlockList()

  /** @throws DerpError naming the invalid entry. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry)
  }

  /** Whether `address` is listed; IPv4 in its own form or mapped into IPv6, optionally with a zone. */
  includes(address: string): boolean {
    const version = isIP(address)
    return version !== 0 && this.#blocks.check(address, version === 4 ? 'ipv4' : 'ipv6')
  }

  #add(entry: string): void {
    const [, address = '', bits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(entry) ?? []
    const version = isIP(address)
    const width = version === 4 ? 32 : 128
    if (version === 0 || Number(bits ?? 0) > width) {
      const reason = `"${entry}" is neither an IP address nor a block such as 10.0.0.0/8 or 2001:db8::/32`
      throw new DerpError('ERR_DERP_CONFIG_INVALID', `read list of addresses: ${reason}`)
    }
    this.#blocks.addSubnet(address, Number(bits ?? width), version === 4 ? 'ipv4' : 'ipv6')
  }
}
