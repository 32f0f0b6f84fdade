/** The transport of Node: TCP, TLS for https, and the HTTP upgrade. */

import type { Socket } from 'node:net'
import { type ConnectionOptions, TLSSocket } from 'node:tls'
import { DerpError } from '../lib/derp-error.ts'
import { NodeConn } from '../transport/node-conn.ts'
import { openTcp, openTls } from './node-socket.ts'
import { upgradeSocket } from './node-upgrade.ts'
import { reasonOf } from './open-connection.ts'
import type { ClientTransport, DialedConn, DialRequest, TlsConnectionState } from './ports.ts'
import { formatRelayUrl } from './relay-url.ts'
import { formatUpgradeRequest } from './upgrade-request.ts'

/** Options of {@link createNodeTransport}. */
export interface NodeTransportOptions {
  /**
   * For https: `ca` to trust certificates of one's own, client certificates, and what else `tls.connect` takes.
   * The server name is the URL's host unless `servername` says otherwise.
   */
  readonly tlsConfig?: ConnectionOptions | undefined
}

/** Dials relays by URL. */
export function createNodeTransport(options: NodeTransportOptions = {}): ClientTransport {
  return {
    async dial(request: DialRequest): Promise<DialedConn> {
      try {
        return await dialUrl(request, options)
      } catch (error) {
        if (error instanceof DerpError) throw error
        throw new DerpError('ERR_DERP_DIAL_FAILED', `dial ${formatRelayUrl(request.url)}: ${reasonOf(error)}`, {
          cause: error,
        })
      }
    },
  }
}

async function dialUrl({ url, signal }: DialRequest, options: NodeTransportOptions): Promise<DialedConn> {
  const request = formatUpgradeRequest(url)
  const socket = await openSocket(url, options, signal)
  const tls = socket instanceof TLSSocket ? readTlsState(socket) : undefined
  const head = await upgradeSocket(socket, request, signal)
  return { conn: new NodeConn(socket, head), tls }
}

async function openSocket(url: URL, options: NodeTransportOptions, signal: AbortSignal): Promise<Socket> {
  const tcp = await openTcp(url, signal)
  return url.protocol === 'https:' ? openTls(tcp, url, options.tlsConfig ?? {}, signal) : tcp
}

function readTlsState(socket: TLSSocket): TlsConnectionState {
  const { servername } = socket as TLSSocket & { readonly servername?: string | false }
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    serverName: servername || undefined,
  }
}
