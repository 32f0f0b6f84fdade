/** Gets one page of a relay over a connection that is verified as those of clients are. */

import type { Duplex } from 'node:stream'
import { ResponseHeadReader } from '../../../client/dial/response-head.ts'
import { dialTcp } from '../../../client/node/node-tcp.ts'
import { startTls } from '../../../client/node/node-tls.ts'
import type { DerpEndpoint } from '../../../derpmap/endpoint.ts'
import { concatBytes, encodeUtf8 } from '../../../lib/bytes.ts'
import { systemClock } from '../../../lib/clock.ts'
import { explainError } from '../../../lib/connection-fault.ts'
import { DerpError } from '../../../lib/derp-error.ts'

/** A page of 1,000 clients has some 600 kB. */
const MAX_BYTES = 16 << 20

export interface PageRequest {
  /** Its URL is the page's. */
  readonly endpoint: DerpEndpoint
  /** PEM of all CAs to trust. Default: those of this process. */
  readonly authorities: readonly string[] | undefined
  readonly signal: AbortSignal
}

export interface PageReply {
  readonly status: number
  readonly body: Uint8Array
}

/** @throws DerpError if nothing that speaks HTTP answers. */
export async function getPage({ endpoint, authorities, signal }: PageRequest): Promise<PageReply> {
  const { host, url } = endpoint
  const network = { clock: systemClock, dnsCache: undefined, preferIPv6: false }
  try {
    const below = await dialTcp(endpoint, network, signal)
    if (url.protocol === 'http:') return await exchange(below, url, signal)
    const config = authorities === undefined ? {} : { ca: [...authorities] }
    const { socket } = await startTls(below, endpoint, { config, clock: systemClock, signal })
    return await exchange(socket, url, signal)
  } catch (error) {
    if (error instanceof DerpError) throw error
    throw new DerpError('ERR_DERP_DIAL_FAILED', `reach ${host}: ${explainError(error)}`, { cause: error })
  }
}

/** HTTP/1.0: the body ends with the connection, and is never in pieces. */
async function exchange(socket: Duplex, url: URL, signal: AbortSignal): Promise<PageReply> {
  const onAbort = () => void socket.destroy(signal.reason as Error)
  signal.addEventListener('abort', onAbort)
  const reader = new ResponseHeadReader(
    reason => new DerpError('ERR_DERP_UPGRADE_MALFORMED', `reach ${url.host}: ${reason}`),
  )
  const body: Uint8Array[] = []
  let status: number | undefined
  let bytes = 0
  try {
    socket.write(
      encodeUtf8(`GET ${url.pathname}${url.search} HTTP/1.0\r\nHost: ${url.host}\r\nAccept: application/json\r\n\r\n`),
    )
    for await (const chunk of socket as AsyncIterable<Uint8Array>) {
      bytes += chunk.length
      if (bytes > MAX_BYTES) throw new Error(`reply longer than ${MAX_BYTES} bytes`)
      const head = status === undefined ? reader.push(chunk) : undefined
      if (status !== undefined) body.push(chunk)
      else if (head !== undefined) {
        status = head.status
        body.push(head.rest)
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  }
  if (status === undefined) throw new Error('connection closed without a reply')
  return { status, body: concatBytes(body) }
}
