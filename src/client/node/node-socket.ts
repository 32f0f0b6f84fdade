/** Opens TCP and TLS connections, cancellable at any time. */

import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { abortedError, onAbort } from '../../lib/abort.ts'

/** Milliseconds of idle time before TCP keep-alive probes. */
const TCP_KEEP_ALIVE_MS = 15_000

/** Connects to an IP address. */
export function openTcp(address: string, port: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({
    host: address,
    port,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: TCP_KEEP_ALIVE_MS,
  })
  return opened(socket, 'connect', signal)
}

/**
 * Performs the TLS handshake over `socket`, which is destroyed on failure.
 *
 * @param onTicket called with each resumption ticket from the server.
 */
export async function openTls(
  socket: Duplex,
  options: ConnectionOptions,
  signal: AbortSignal,
  onTicket: (ticket: Buffer) => void = () => {},
): Promise<TLSSocket> {
  try {
    const tls = connectTls({ ...options, socket })
    tls.on('session', onTicket)
    return await opened(tls, 'secureConnect', signal)
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function opened<S extends Socket>(socket: S, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<S> {
  // Permanent: between two steps of dialling an error must have a listener, or it crashes the process.
  socket.on('error', () => {})
  return new Promise((resolve, reject) => {
    let stopListening = () => {}
    const fail = (error: Error) => {
      stopListening()
      socket.destroy()
      reject(error)
    }
    const closed = () => fail(new Error('connection closed by the peer'))
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
