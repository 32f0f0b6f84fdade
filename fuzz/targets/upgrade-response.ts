/** The answer to the client's upgrade request. */

import { UpgradeRefusedError, UpgradeResponse } from '../../src/client/dial/upgrade-response.ts'
import { DerpError } from '../../src/lib/derp-error.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { hexOf, InputReader, splitBy } from '../support/input-reader.ts'

const SIZES = 8
const CODES = ['ERR_DERP_UPGRADE_MALFORMED', 'ERR_DERP_UPGRADE_REFUSED', 'ERR_DERP_CONN_CLOSED']
const MAX_MESSAGE = 600

export const target: FuzzTarget = {
  about:
    'Any answer in any pieces: the outcome is that of the answer in one piece; only three kinds of `DerpError`, on one line, of bounded length; what follows a 101 is untouched.',
  seeds: [
    'HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\nrest',
    'HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno',
    'HTTP/1.1 502 Bad Gateway\r\nTransfer-Encoding: chunked\r\n\r\n5;x=y\r\nsorry\r\n0\r\n\r\n',
    'HTTP/1.0 200 OK\r\n\r\n<!doctype html><title>x</title>',
    'HTTP/1.1 204 No Content\r\n\r\n',
    'SSH-2.0-OpenSSH\r\n',
  ].map(text => Buffer.concat([Buffer.from([1, 20, 30, 5, 90, 2, 2, 2]), Buffer.from(text)])),
  words: ['HTTP/1.1 101 ', 'Content-Length: ', 'Transfer-Encoding: chunked', '\r\n\r\n', '\r\n0\r\n\r\n', '\u2028'],
  run: input => {
    const reader = new InputReader(input)
    const sizes = reader.take(SIZES)
    const bytes = reader.rest()
    const whole = outcomeOf([bytes])
    mustAgree('an answer in pieces and in one', outcomeOf(splitBy(sizes, bytes)), whole)
    return whole
  },
}

function outcomeOf(pieces: readonly Uint8Array[]): string {
  const response = new UpgradeResponse('/derp')
  try {
    for (const [at, piece] of pieces.entries()) {
      const rest = response.push(piece)
      if (rest === undefined) continue
      return `upgraded ${hexOf(rest)}${pieces
        .slice(at + 1)
        .map(hexOf)
        .join('')}`
    }
    return response.end()
  } catch (error) {
    if (!(error instanceof DerpError)) throw error
    must(CODES.includes(error.code), `errors are of three kinds, not ${error.code}`)
    must(!/[\n\r\u2028\u2029]/.test(error.message), 'an error is one line')
    must(error.message.length < MAX_MESSAGE, 'an error is of bounded length')
    // How much of a body is told depends on how it came.
    return error instanceof UpgradeRefusedError
      ? `${error.code} ${error.status} ${error.excerpt.slice(0, 20)}`
      : error.code
  }
}
