/** Opens TCP and TLS connections that an `AbortSignal` can end at any moment. */

import { connect, isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { abortedError, onAbort } from './abort.ts'
import { hostOf, portOf } from './relay-url.ts'

/** Milliseconds before TCP asks a silent connection whether it is still there. */
const TCP_KEEP_ALIVE_MS = 15_000

/** Connects to the URL's host and port; over several addresses they are raced. */
export function openTcp(url: URL, signal: AbortSignal): Promise<Socket> {
  const socket = connect({
    host: hostOf(url),
    port: portOf(url),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  })
  return opened(socket, 'connect', signal)
}

/** Does the TLS handshake over `socket`, which is destroyed if that fails; the certificate must fit the URL's host. */
export function openTls(socket: Socket, url: URL, config: ConnectionOptions, signal: AbortSignal): Promise<TLSSocket> {
  const tls = connectTls({ ...config, socket, host: hostOf(url), ...serverNameOf(url, config) })
  return opened(tls, 'secureConnect', signal)
}

/** Addresses are not sent as server names (RFC 6066, section 3). */
function serverNameOf(url: URL, config: ConnectionOptions): Pick<ConnectionOptions, 'servername'> {
  const servername = config.servername ?? hostOf(url)
  return isIP(servername) === 0 ? { servername } : {}
}

function opened<S extends Socket>(socket: S, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<S> {
  // For good: between two steps of dialling an error must find a listener, or it ends the process.
  socket.on('error', () => {})
  return new Promise((resolve, reject) => {
    let stopListening = () => {}
    const fail = (error: Error) => {
      stopListening()
      socket.destroy()
      reject(error)
    }
    const closed = () => fail(new Error('connection closed by the other side'))
    socket.once('error', fail)
    socket.once('close', closed)
    socket.once(event, () => {
      stopListening()
      socket.off('error', fail)
      socket.off('close', closed)
      resolve(socket)
    })
    stopListening = onAbort(signal, aborted => fail(abortedError('open connection', aborted)))
  })
}
