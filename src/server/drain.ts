/** Taking a relay out of service without all clients coming back at once (P-093, P-174). */

import type { Clock } from '../lib/clock.ts'
import { encodeServerToClient } from '../protocol/encode.ts'
import type { Session } from './session.ts'

export interface DrainOptions {
  /** Milliseconds over which connections are ended and clients are told to come back. */
  readonly spreadMs: number
  /** Milliseconds for which clients are told to keep trying before they take the loss for an ordinary one. */
  readonly tryForMs: number
  /** Milliseconds after which the connections that are left are cut. Default: never. */
  readonly deadlineMs?: number | undefined
  /** Cuts the connections that are left when it is aborted. */
  readonly signal?: AbortSignal | undefined
  /** Called when the clients' connections have ended; siblings' are ended once it has resolved. Default: at once. */
  readonly clientsEnded?: (() => Promise<void>) | undefined
}

/** How a drain went, in connections. */
export interface DrainResult {
  /** Those that were told to come back. */
  readonly told: number
  /** Those that ended after all that waited for them was written, or that the client ended. */
  readonly moved: number
  /** Those that were ended with something left to write. */
  readonly cut: number
}

/** What {@link drain} works on. */
export interface DrainedRelay {
  readonly sessions: ReadonlySet<Session>
  readonly clock: Clock
  readonly random: () => number
}

/**
 * Tells all clients that the relay restarts, each with its own time to come back, and ends their connections one after
 * the other, what waits for them first. Siblings come last: until then they bring what is for the clients still here.
 *
 * @returns a promise that resolves when all have ended.
 */
export async function drain(relay: DrainedRelay, options: DrainOptions): Promise<DrainResult> {
  const { spreadMs } = options
  const clients = [...relay.sessions].filter(({ canMesh }) => !canMesh)
  const siblings = [...relay.sessions].filter(({ canMesh }) => canMesh)
  const endsInMs = (at: number) => (at / clients.length) * spreadMs
  for (const [at, client] of clients.entries()) tellRestart(relay, client, endsInMs(at), options)
  for (const sibling of siblings) tellRestart(relay, sibling, spreadMs, options)
  const ending = new Ending(relay.clock, options)
  const moved = await Promise.all(clients.map((client, at) => ending.of(client, endsInMs(at))))
  await options.clientsEnded?.()
  moved.push(...(await Promise.all(siblings.map(sibling => ending.of(sibling)))))
  ending.close()
  const cut = moved.filter(isMoved => !isMoved).length
  return { told: moved.length, moved: moved.length - cut, cut }
}

/** Says when to come back: not before the connection has ended, and not when all others do. */
function tellRestart(relay: DrainedRelay, session: Session, endsInMs: number, options: DrainOptions): void {
  const { spreadMs, tryForMs } = options
  const reconnectInMs = Math.floor(Math.max(endsInMs, relay.random() * spreadMs))
  session.sendControl(encodeServerToClient({ type: 'serverRestarting', reconnectInMs, tryForMs }))
}

/** Ends sessions, each in its own time, until what is left is cut. */
class Ending {
  readonly #clock: Clock
  readonly #cuts = new Set<() => void>()
  #isCut = false
  /** Undoes what would cut. */
  readonly close: () => void

  constructor(clock: Clock, { deadlineMs, signal }: DrainOptions) {
    this.#clock = clock
    const cut = () => this.#cut()
    const deadline = deadlineMs === undefined ? undefined : clock.after(deadlineMs, cut)
    signal?.addEventListener('abort', cut, { once: true })
    this.close = () => {
      deadline?.cancel()
      signal?.removeEventListener('abort', cut)
    }
    if (signal?.aborted === true) this.#cut()
  }

  /** Ends the session, after some time if need be; resolves to whether nothing was left to write. */
  of(session: Session, delayMs?: number): Promise<boolean> {
    return new Promise(resolve => {
      const end = () => session.end(resolve)
      // The last socket may be gone before the last turn to end one comes.
      const timer = delayMs === undefined ? end() : this.#clock.after(delayMs, end, true)
      const cut = () => {
        timer?.cancel()
        const wasOpen = !session.isClosed
        session.close()
        resolve(!wasOpen)
      }
      if (this.#isCut) cut()
      else this.#cuts.add(cut)
    })
  }

  #cut(): void {
    this.#isCut = true
    for (const cut of this.#cuts) cut()
  }
}
