/** Looks at connections before the server they came to does, for those that are not worth its work. */

import type { Server } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Hands each raw connection of `server` to `admit` first; the server, and TLS if it speaks that, sees only those for
 * which it returns true. Listeners that are added later see all.
 */
export function guardConnections(server: Server, admit: (socket: Socket) => boolean): void {
  const serve = server.listeners('connection')
  server.removeAllListeners('connection')
  server.on('connection', (socket: Socket) => {
    if (!admit(socket)) return
    for (const listener of serve) listener.call(server, socket)
  })
}
