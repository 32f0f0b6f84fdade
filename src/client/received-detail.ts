/** What is received on one connection, and which connection that is (P-204, P-206). */

import type { ReceivedMessage } from '../protocol/messages.ts'
import type { Link } from './link-keeper.ts'

/** A message and the connection it came by. */
export interface ReceivedDetail {
  readonly message: ReceivedMessage
  /** 1 for the client's first connection, one more for each later one. */
  readonly connectionGeneration: number
}

/** The next message; Pongs that a Ping waits for are not among them. */
export async function receiveOver({ derp, pings }: Link, signal?: AbortSignal): Promise<ReceivedMessage> {
  for (;;) {
    const message = await derp.recv(signal)
    if (message.type !== 'pong' || !pings.take(message.payload)) return message
  }
}

/** The same with the number of the connection. */
export async function receiveDetail(link: Link, signal?: AbortSignal): Promise<ReceivedDetail> {
  return { message: await receiveOver(link, signal), connectionGeneration: link.generation }
}
