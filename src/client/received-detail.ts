/** Messages received on one connection, with its number (P-204, P-206). */

import type { ReceivedMessage } from '../protocol/messages.ts'
import type { Link } from './link-keeper.ts'

/** A message and its connection. */
export interface ReceivedDetail {
  /** The message; its bytes belong to the caller. */
  readonly message: ReceivedMessage
  /** 1 for the client's first connection, incremented for each later one. */
  readonly connectionGeneration: number
}

/** The next message; Pongs that a pending Ping waits for are not returned. */
export async function receiveOver({ derp, pings }: Link, signal?: AbortSignal): Promise<ReceivedMessage> {
  for (;;) {
    const message = await derp.recv(signal)
    if (message.type !== 'pong' || !pings.take(message.payload)) return message
  }
}

/** The same with the connection's number. */
export async function receiveDetail(link: Link, signal?: AbortSignal): Promise<ReceivedDetail> {
  return { message: await receiveOver(link, signal), connectionGeneration: link.generation }
}
