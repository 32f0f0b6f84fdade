/** Takes the requests of clients of DERP off their connections before `node:http` makes anything of these (P-120). */

import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { type EarlyUpgrade, UpgradeHeadReader } from '../upgrade-head.ts'

export interface EarlyUpgradeOptions {
  /** What the server emits for each connection whose bytes are HTTP. */
  readonly event: 'connection' | 'secureConnection'
  /** Most bytes of a request's head. */
  readonly maxHeaderBytes: number | undefined
  /** Whether the connection is taken; otherwise `node:http` has it. */
  readonly take: (upgrade: EarlyUpgrade, socket: Socket) => boolean
}

/**
 * Stands before all that listens for connections of `server` so far. They see a connection with its first bytes, if it
 * is not taken. Until then whoever accepts it limits how long that may be.
 */
export function takeUpgradesEarly(server: Server, { event, maxHeaderBytes, take }: EarlyUpgradeOptions): void {
  const heads = new UpgradeHeadReader(maxHeaderBytes)
  const serve = server.listeners(event)
  server.removeAllListeners(event)
  server.on(event, (socket: Socket) => {
    const onEnd = () => socket.end()
    const onFirst = (chunk: Buffer) => {
      socket.off('data', onFirst).off('end', onEnd).pause()
      const upgrade = heads.read(chunk, socket)
      if (upgrade !== undefined && take(upgrade, socket)) return
      socket.unshift(chunk)
      for (const listener of serve) Reflect.apply(listener, server, [socket])
      socket.resume()
    }
    socket.on('data', onFirst).on('end', onEnd)
  })
}
