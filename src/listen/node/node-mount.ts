/** Mounts services in the `node:http` server of another program. */

import { EventEmitter } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type HttpService, isUpgrade } from '../http-service.ts'
import { writeReply } from './node-reply.ts'
import { NodeRequest } from './node-request.ts'
import { replyOnSocket, takeSocket } from './upgraded-socket.ts'

/** Listener for the `request` event of a `node:http` server. */
export type RequestHandler = (request: IncomingMessage, response: ServerResponse) => void

/** Listener for the `upgrade` event of a `node:http` server. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Uint8Array, acceptedAtMs?: number) => void

/** The replies of a service. */
export function requestHandler(service: HttpService): RequestHandler {
  return (message, response) => {
    const answer = service.answer(new NodeRequest(message))
    // The server has read an upgrade as an ordinary request, and there is no way back.
    void writeReply(response, isUpgrade(answer) ? { status: 426, body: '' } : answer)
  }
}

/**
 * The upgrades of a service. Requests that are not for it are left to the other listeners of the server.
 *
 * @param isFor whether a target is one of the service.
 * @param others answers for all other targets where there is no other listener: nobody else would close the socket.
 */
export function upgradeHandler(
  service: HttpService,
  isFor: (target: string) => boolean,
  others: HttpService = NOT_HERE,
): UpgradeHandler {
  return function (this: unknown, message, duplex, head, acceptedAtMs) {
    // Sockets of node:http are sockets; the type of its event is wider.
    const socket = duplex as Socket
    const request = new NodeRequest(message)
    const isOurs = isFor(request.target)
    if (!isOurs && hasOtherListeners(this, message)) return
    const answer = (isOurs ? service : others).answer(request)
    if (isUpgrade(answer)) takeSocket(answer, { message, socket, head, acceptedAtMs })
    else void Promise.resolve(answer).then(reply => replyOnSocket(socket, reply))
  }
}

const NOT_HERE: HttpService = {
  answer: () => ({
    status: 404,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    body: 'no upgrade here\n',
  }),
}

/**
 * Whether another listener may take the upgrade of a request.
 *
 * @param emitter what has called the listener, if that was a server. It may emit for others: Fastify has a server for
 * each address of `localhost`, and only the first has the program's listeners.
 */
function hasOtherListeners(emitter: unknown, { socket }: IncomingMessage): boolean {
  // What the type of the platform leaves out.
  const { server } = socket as { readonly server?: Server | null }
  const asked = emitter instanceof EventEmitter ? emitter : server
  return (asked?.listenerCount('upgrade') ?? 0) > 1
}
