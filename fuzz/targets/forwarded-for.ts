/** `X-Forwarded-For`, and the lists of addresses that it is read with. */

import { addressTo16, ipFamilyOf } from '../../src/lib/address-port.ts'
import { DerpError } from '../../src/lib/derp-error.ts'
import { CidrList } from '../../src/listen/cidr-list.ts'
import { clientAddress, originReader } from '../../src/listen/client-address.ts'
import { readForwardedFor } from '../../src/listen/forwarded-for.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { latin1 } from '../support/input-reader.ts'

const TRUSTED = ['127.0.0.0/8', '10.0.0.0/8', '2001:db8::/32', '::1']
const proxies = new CidrList(TRUSTED)
const originOf = originReader(proxies)

export const target: FuzzTarget = {
  about:
    'Any header, and its first line as a list of trusted proxies: the client is the last address that is not trusted, as a naive reader finds it; what a client writes to its left changes nothing; an untrusted peer is never believed; lists throw only `DerpError`.',
  seeds: [
    '192.0.2.1, 10.0.0.1',
    '[2001:db9::1]:443,127.0.0.1:80',
    'evil, 10.0.0.1',
    '::1,::ffff:10.0.0.1',
    '10.0.0.0/8\n1.2.3.4',
    '::/0',
  ].map(text => Buffer.from(text)),
  words: [
    '10.0.0.1',
    '127.0.0.1',
    '::1',
    '2001:db8::5',
    '::ffff:',
    '%eth0',
    ', ',
    ',',
    '[',
    ']:',
    '/128',
    '/0',
    '/129',
    '0x7f.1',
  ],
  maxBytes: 512,
  run: input => {
    const text = latin1(input)
    const [line = '', ...rest] = text.split('\n')
    const header = rest.length === 0 ? text : rest.join('\n')
    const list = listOf(line)
    const client = readForwardedFor(header, proxies)
    if (client !== undefined) {
      must(ipFamilyOf(client.address) !== undefined, 'the client is an address')
      must(client.port >= 0 && client.port <= 65_535, 'a port is a port')
      must(addressTo16(client.address).length === 16, 'an address has 16 bytes')
      const isTrusted = proxies.includes(client.address)
      for (const forged of ['203.0.113.9', 'x', '']) {
        if (!isTrusted)
          mustAgree('a client behind a forged one', readForwardedFor(`${forged},${header}`, proxies), client)
      }
    }
    mustAgree('the two readers', client?.address, naive(header))
    const stranger = originOf({ remote: { address: '203.0.113.1', port: 1 }, headers: { 'x-forwarded-for': [header] } })
    must(stranger.client?.address === '203.0.113.1' && !stranger.isProxied, 'an untrusted peer is not believed')
    const origin = originOf({ remote: { address: '10.1.1.1', port: 1 }, headers: { 'x-forwarded-for': [header] } })
    must(origin.isProxied && origin.isCertain === (client !== undefined), 'a trusted peer is believed if it names one')
    return `${list} ${clientAddress(origin)} ${origin.isCertain}`
  },
}

/** Without its ports and brackets taken apart. */
function naive(header: string): string | undefined {
  const entries = header.split(',').map(entry => entry.trim())
  let found: string | undefined
  for (let entry = entries.pop(); entry !== undefined; entry = entries.pop()) {
    found = hostOf(entry)
    if (found === undefined || !proxies.includes(found)) return found
  }
  return found
}

function hostOf(entry: string): string | undefined {
  if (ipFamilyOf(entry) !== undefined) return entry
  const at = entry.lastIndexOf(':')
  const [host, port] = at > entry.lastIndexOf(']') ? [entry.slice(0, at), entry.slice(at + 1)] : [entry, '0']
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) return undefined
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  const isBare = bare === host
  const family = ipFamilyOf(bare)
  // Without brackets IPv6 has no port.
  return family === undefined || (isBare && family === 6) ? undefined : bare
}

function listOf(line: string): string {
  try {
    const list = new CidrList(line.split(' '))
    return `192.0.2.1 ${list.includes('192.0.2.1')}, ::1 ${list.includes('::1')}`
  } catch (error) {
    if (error instanceof DerpError) return 'refused'
    throw error
  }
}
