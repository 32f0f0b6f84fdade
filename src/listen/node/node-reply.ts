/** Writes replies with `node:http`. */

import type { ServerResponse } from 'node:http'
import type { HttpReply } from '../http-service.ts'

/** Notified of progress, so that slow clients can be disconnected; {@link HttpDeadline} implements it. */
export interface ReplyWatch {
  /** The client has something to take. */
  taking(): void
  /** It has taken that, and more may follow. */
  taken(): void
}

const UNWATCHED: ReplyWatch = { taking: () => {}, taken: () => {} }

/** Writes a reply; resolves once all of it is written, or the client has left. */
export async function writeReply(
  response: ServerResponse,
  reply: HttpReply | Promise<HttpReply>,
  watch: ReplyWatch = UNWATCHED,
): Promise<void> {
  try {
    const { status, headers, body } = reply instanceof Promise ? await reply : reply
    if (response.closed) return
    const isHead = response.req.method === 'HEAD'
    if (typeof body === 'object' && !(body instanceof Uint8Array)) {
      watch.taken()
      response.writeHead(status, { ...headers })
      if (!isHead) await writePieces(response, body, watch)
      response.end()
      return
    }
    watch.taking()
    const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }
    response.writeHead(status, { ...headers, ...length }).end(isHead ? undefined : body)
  } catch {
    // A service that fails has no message for the client.
    if (response.headersSent) response.destroy()
    else response.writeHead(500, { 'Content-Length': '0' }).end()
  }
}

async function writePieces(response: ServerResponse, pieces: AsyncIterable<string>, watch: ReplyWatch): Promise<void> {
  for await (const piece of pieces) {
    if (response.closed) return
    if (response.write(piece)) watch.taken()
    else await drained(response, watch)
    if (response.closed) return
  }
}

/** Resolves when the client has taken what was written, or has left. */
async function drained(response: ServerResponse, watch: ReplyWatch): Promise<void> {
  watch.taking()
  await new Promise<void>(resolve => {
    const done = () => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.once('drain', done).once('close', done)
  })
  watch.taken()
}
