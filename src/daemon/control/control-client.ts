/** Asks the `derper` that listens on a control socket. */

import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import {
  type ControlRequest,
  type ControlStatus,
  formatRequest,
  parseReleased,
  parseStatus,
} from './control-message.ts'
import { readLine } from './line-reader.ts'

/** Milliseconds for the answer to `status`. */
const STATUS_MS = 5_000
/** Milliseconds for the answer to `drain`, which comes once the ports are free. */
const RELEASE_MS = 15_000
/** Errors of a path on which nobody listens. */
const ABSENT: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ECONNREFUSED'])

/** Connects; undefined if nobody listens. Rejects if the path cannot be used. */
export async function connectTo(path: string): Promise<Socket | undefined> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
  } catch (error) {
    socket.destroy()
    if (ABSENT.has((error as NodeJS.ErrnoException).code)) return undefined
    throw error
  }
  return socket.on('error', () => {})
}

/**
 * The `derper` that listens there; undefined if nobody does. Rejects with a DerpError if another program listens, or
 * there is no answer.
 */
export async function askStatus(path: string, clock: Clock): Promise<ControlStatus | undefined> {
  try {
    const socket = await connectTo(path)
    if (socket === undefined) return undefined
    try {
      return parseStatus(await ask(socket, 'status', clock, STATUS_MS))
    } finally {
      socket.destroy()
    }
  } catch (error) {
    throw failureOf(path, error)
  }
}

/** A process that was asked to drain. */
export interface AskedToDrain {
  /** Why its ports and the control socket are not known to be free; undefined if they are. */
  readonly failure: DerpError | undefined
  /** Resolves when it has ended, whatever it said. */
  readonly ended: Promise<void>
}

/**
 * Asks it to drain; resolves once it has freed its ports and the socket, or has failed to. Rejects with a DerpError if
 * it cannot be reached.
 */
export async function askDrain(path: string, clock: Clock): Promise<AskedToDrain> {
  const socket = await connectTo(path).catch((error: unknown) => {
    throw failureOf(path, error)
  })
  if (socket === undefined) return { failure: undefined, ended: Promise.resolve() }
  const ended = new Promise<void>(resolve => socket.once('close', () => resolve()))
  const failure = await ask(socket, 'drain', clock, RELEASE_MS)
    .then(parseReleased)
    .catch((error: unknown) => failureOf(path, error))
  // Further data is ignored.
  socket.resume().unref()
  return { failure: failure ?? undefined, ended }
}

function ask(socket: Socket, request: ControlRequest, clock: Clock, withinMs: number): Promise<string> {
  socket.write(`${formatRequest(request)}\n`)
  return readLine(socket, clock, withinMs)
}

function failureOf(path: string, cause: unknown): DerpError {
  const { message } = cause as Error
  return new DerpError('ERR_DERP_TAKEOVER_FAILED', `take over by -control-socket ${path}: ${message}`, { cause })
}
