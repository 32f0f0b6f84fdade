/** ClientInfo and ServerInfo: the JSON in the boxes of the login. */

import { ProtocolError } from '../../src/lib/derp-error.ts'
import { APP_NAME, formatClientInfo, parseClientInfo } from '../../src/protocol/client-info.ts'
import { ClientInfoReader } from '../../src/protocol/client-info-reader.ts'
import { formatServerInfo, parseServerInfo } from '../../src/protocol/server-info.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { InputReader, utf8 } from '../support/input-reader.ts'

const encode = (text: string) => new TextEncoder().encode(text)

export const target: FuzzTarget = {
  about:
    'Any bytes as ClientInfo or ServerInfo: only `ProtocolError`; accepted only if it is a JSON object or null; integers are of 64 bits, application names 1 to 32 printable characters; what is formatted again reads the same; cached texts as others.',
  seeds: [
    encode('\x00{"version":2,"CanAckPings":true,"IsProber":true,"AppName":"a b/1","meshKey":"ab"}'),
    encode('\x01{"version":2,"TokenBucketBytesPerSecond":1000,"TokenBucketBytesBurst":-5}'),
    encode('\x00{"x":[1,{"version":"q"}],"y":"\\"{,}","VERSION":3,"version":null}'),
    encode('\x00null'),
    encode('\x00{"\\u0076ersion":7,"__proto__":{"version":9},"":0}'),
  ],
  words: ['version', 'meshKey', 'CanAckPings', 'IsProber', 'AppName', 'TokenBucketBytesPerSecond', '\\u0000', '1e400'],
  run: input => {
    const reader = new InputReader(input)
    const isClient = reader.below(2) === 0
    const json = reader.rest()
    const text = utf8(json)
    const outcome = isClient ? client(json) : server(json)
    if (outcome !== 'refused') must(isObjectOrNull(text), 'what is accepted is a JSON object or null')
    return outcome
  },
}

function client(json: Uint8Array): string {
  const cached = new ClientInfoReader()
  const [info, first, again] = [parseClientInfo, cached.read.bind(cached), cached.read.bind(cached)].map(parse =>
    orRefused(() => parse(json)),
  )
  mustAgree('ClientInfo and its cached form', first, info)
  mustAgree('ClientInfo read twice', again, info)
  if (info === undefined) return 'refused'
  const { version = 0, appName } = info
  must(Number.isInteger(version) && Math.abs(version) <= 2 ** 63, 'the version is an integer of 64 bits')
  must(appName === undefined || APP_NAME.test(appName), 'the application name is short and printable')
  const { version: _, ...same } = parseClientInfo(formatClientInfo(info))
  const { version: __, meshKey, ...expected } = info
  mustAgree('ClientInfo formatted again', same, { ...(meshKey && { meshKey }), ...expected })
  return JSON.stringify(info)
}

function server(json: Uint8Array): string {
  const info = orRefused(() => parseServerInfo(json))
  if (info === undefined) return 'refused'
  const { version: _, ...expected } = info
  // Beyond that numbers are rounded; our relays have no such limits.
  if (Object.values(expected).every(Number.isSafeInteger)) {
    const { version: __, ...same } = parseServerInfo(formatServerInfo(info))
    mustAgree('ServerInfo formatted again', same, expected)
  }
  return JSON.stringify(info)
}

function orRefused<T>(parse: () => T): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'ERR_DERP_LOGIN_INFO_MALFORMED') return undefined
    throw error
  }
}

function isObjectOrNull(text: string): boolean {
  const value: unknown = JSON.parse(text)
  return typeof value === 'object' && !Array.isArray(value)
}
