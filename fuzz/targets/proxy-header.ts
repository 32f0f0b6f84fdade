/** The PROXY header at the start of a connection. */

import { ipFamilyOf } from '../../src/lib/address-port.ts'
import { MAX_BINARY_HEADER, type ProxyHeader, readProxyHeader } from '../../src/listen/proxy-header.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'

const V2 = '0d0a0d0a000d0a515549540a'
/** Beginnings that are tried of each input. */
const PREFIXES = 64

export const target: FuzzTarget = {
  about:
    'The first bytes of a connection: what is decided for a beginning stays so whatever follows; never more than 4 KiB are asked for; a source is an address with a port; a header written again reads the same; no error.',
  seeds: [
    Buffer.from('PROXY TCP4 192.0.2.1 198.51.100.1 1234 443\r\nGET / HTTP/1.1\r\n\r\n'),
    Buffer.from('PROXY TCP6 2001:db8::1 2001:db8::2 1234 443\r\n'),
    Buffer.from('PROXY UNKNOWN ffff::1 x\r\nabc'),
    Buffer.from(`${V2}2111000cc0000201c633640104d201bbGET`, 'hex'),
    Buffer.from(`${V2}21210024${'20010db8000000000000000000000001'.repeat(2)}04d201bb`, 'hex'),
    Buffer.from(`${V2}20000000abcd`, 'hex'),
    Buffer.from(`${V2}2111000fc0000201c633640104d201bb040000`, 'hex'),
  ],
  words: ['PROXY ', 'TCP4', 'TCP6', 'UNKNOWN', '\r\n', '::ffff:1.2.3.4', '255.255.255.255', '%eth0', '65535', '65536'],
  run: input => {
    const bytes = Buffer.from(input)
    const whole = readProxyHeader(bytes)
    const filled = Buffer.concat([bytes, Buffer.alloc(MAX_BINARY_HEADER)])
    must(readProxyHeader(filled) !== 'incomplete', 'no more than the limit is asked for')
    const step = Math.max(1, Math.floor(bytes.length / PREFIXES))
    for (let length = 0; length < bytes.length; length += step) {
      const early = readProxyHeader(bytes.subarray(0, length))
      if (early !== 'incomplete') mustAgree('a header and its beginning', early, whole)
    }
    if (typeof whole !== 'string') checkHeader(whole, bytes)
    return JSON.stringify(whole)
  },
}

function checkHeader({ version, length, source }: ProxyHeader, bytes: Buffer): void {
  must(length > 0 && length <= bytes.length, 'a header is not longer than what has come')
  if (source === undefined) return
  const { address, port } = source
  const family = ipFamilyOf(address)
  must(family !== undefined, 'a source is an address')
  must(Number.isInteger(port) && port >= 0 && port <= 65_535, 'a port is a port')
  const other = family === 4 ? '192.0.2.1' : '::1'
  const text = `PROXY TCP${family} ${address} ${other} ${port} 1\r\n`
  // A zone makes the text longer than version 1 allows.
  if (version === 2)
    mustAgree('a source written as text', readProxyHeader(Buffer.from(text)), {
      version: 1,
      length: text.length,
      source,
    })
}
