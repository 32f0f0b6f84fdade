/** Turns a socket from HTTP to DERP (P-120, P-121). */

import type { Socket } from 'node:net'
import { abortedError, onAbort } from './abort.ts'
import { UpgradeResponse } from './upgrade-response.ts'

/**
 * Sends `request` and waits for the 101; the socket is destroyed when there is none.
 *
 * @returns the bytes that came behind the response; nothing is read from the socket after them.
 */
export function upgradeSocket(socket: Socket, request: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
  const response = new UpgradeResponse()
  return new Promise((resolve, reject) => {
    let stopListening = () => {}
    const stop = () => {
      stopListening()
      // Taking 'readable' away leaves the socket neither flowing nor paused: the next reader starts it.
      socket.off('readable', onReadable)
      socket.off('end', onEnd)
      socket.off('error', fail)
      socket.off('close', onEnd)
    }
    const fail = (error: unknown) => {
      stop()
      socket.destroy()
      reject(error)
    }
    const onReadable = () => {
      try {
        for (let chunk = readChunk(socket); chunk !== undefined; chunk = readChunk(socket)) {
          const rest = response.push(chunk)
          if (rest === undefined) continue
          stop()
          resolve(rest)
          return
        }
      } catch (error) {
        fail(error)
      }
    }
    const onEnd = () => {
      try {
        response.end()
      } catch (error) {
        fail(error)
      }
    }
    socket.on('readable', onReadable)
    socket.on('end', onEnd)
    socket.on('error', fail)
    socket.on('close', onEnd)
    if (socket.destroyed) {
      onEnd()
      return
    }
    socket.write(request)
    stopListening = onAbort(signal, aborted => fail(abortedError('upgrade connection', aborted)))
  })
}

function readChunk(socket: Socket): Uint8Array | undefined {
  return (socket.read() as Uint8Array | null) ?? undefined
}
