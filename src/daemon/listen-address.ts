/** Listen addresses in Go's form: `:443`, `127.0.0.1:3340`, `[::1]:443`. */

import { isIP } from 'node:net'
import { DerpError } from '../lib/derp-error.ts'

/** No host means all interfaces. */
export interface ListenAddress {
  readonly host: string | undefined
  readonly port: number
}

/** Parses the value `text` of `flag`. @throws DerpError naming both. */
export function parseListenAddress(flag: string, text: string): ListenAddress {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+|https?)$/.exec(text)
  if (match === null) {
    const meant = /^\d+$/.test(text) ? `; did you mean :${text}?` : ''
    throw invalid(flag, text, `not in the form ":port", "ip:port" or "[ip]:port"${meant}`)
  }
  const host = match[1] ?? match[2] ?? ''
  const port = match[3] === 'https' ? 443 : match[3] === 'http' ? 80 : Number(match[3])
  if (port > 65_535) throw invalid(flag, text, 'the port is above 65535')
  if (match[1] !== undefined && isIP(match[1]) !== 6) throw invalid(flag, text, 'the brackets hold no IPv6 address')
  return { host: host === '' ? undefined : host, port }
}

/** The address as text again, for logs and hints. */
export function formatListenAddress({ host = '', port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

const invalid = (flag: string, text: string, reason: string) =>
  new DerpError('ERR_DERP_CONFIG_INVALID', `set flag -${flag} to "${text}": ${reason}`)
