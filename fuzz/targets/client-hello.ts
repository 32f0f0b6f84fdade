/** The server name and protocols of a TLS ClientHello. */

import { readClientHello } from '../../src/tls/client-hello.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'

/** Server name derp.example, protocol acme-tls/1. */
const SERVER_NAME = '00000011000f00000c646572702e6578616d706c65'
const PROTOCOLS = '0010000d000b0a61636d652d746c732f31'

export const target: FuzzTarget = {
  about:
    'The first bytes of a TLS connection: what is read of a beginning stays so whatever follows; no more than one record is waited for; names and protocols lie in the bytes; no error.',
  seeds: [hello(SERVER_NAME + PROTOCOLS), hello(PROTOCOLS), hello(''), Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  words: [Buffer.from(SERVER_NAME, 'hex'), Buffer.from(PROTOCOLS, 'hex'), 'acme-tls/1'],
  run: input => {
    const bytes = Buffer.from(input)
    const whole = readClientHello(bytes)
    if (bytes.length >= 5 + 0xffff) must(whole !== undefined, 'no more than a record is waited for')
    for (const length of [0, 1, 4, 5, 43, bytes.length >> 1, bytes.length - 1]) {
      const early = readClientHello(bytes.subarray(0, Math.max(0, length)))
      if (early !== undefined) mustAgree('a hello and its beginning', early, whole)
    }
    if (whole !== undefined) {
      const texts = [whole.serverName ?? '', ...whole.protocols]
      must(
        texts.every(text => bytes.includes(Buffer.from(text, 'latin1'))),
        'names lie in the bytes',
      )
      must(texts.join('').length <= bytes.length, 'names are no longer than the bytes')
    }
    return JSON.stringify(whole ?? 'incomplete')
  },
}

function hello(extensions: string): Buffer {
  const lengthOf = (hex: string, bytes: number) => (hex.length / 2).toString(16).padStart(2 * bytes, '0') + hex
  const body = `0303${'ab'.repeat(32)}${lengthOf('', 1)}${lengthOf('1301', 2)}${lengthOf('00', 1)}${lengthOf(extensions, 2)}`
  return Buffer.from(`160301${lengthOf(`01${lengthOf(body, 3)}`, 2)}`, 'hex')
}
