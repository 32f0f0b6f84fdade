/** Takes a relay out of service without a reconnect storm (P-093, P-174). */

import type { Clock } from '../lib/clock.ts'
import { encodeServerToClient } from '../protocol/encode.ts'
import type { Session } from './session.ts'

/** Options of `Relay.drain`. */
export interface DrainOptions {
  /** Milliseconds over which connections are closed and clients told to reconnect. */
  readonly spreadMs: number
  /** Milliseconds for which clients are told to retry this relay. */
  readonly tryForMs: number
  /** Milliseconds after which the remaining connections are cut. Default: never. */
  readonly deadlineMs?: number | undefined
  /** Cuts the remaining connections when aborted. */
  readonly signal?: AbortSignal | undefined
  /** Called when the clients' connections have ended; mesh peers are disconnected once it has resolved. Default: at once. */
  readonly clientsEnded?: (() => Promise<void>) | undefined
}

/** Outcome of a drain, in connections. */
export interface DrainResult {
  /** Told to reconnect. */
  readonly told: number
  /** Ended by the client, or after everything queued was written. */
  readonly moved: number
  /** Ended with data left to write. */
  readonly cut: number
}

export interface DrainedRelay {
  readonly sessions: ReadonlySet<Session>
  readonly clock: Clock
  readonly random: () => number
}

/**
 * Tells all clients that the relay is restarting, each with its own time to reconnect, and closes their connections one by
 * one, after what is queued for them. Mesh peers come last: until then they deliver packets for the remaining clients.
 *
 * @returns a promise that resolves when all connections have ended.
 */
export async function drain(relay: DrainedRelay, options: DrainOptions): Promise<DrainResult> {
  const { spreadMs } = options
  const clients = [...relay.sessions].filter(({ canMesh }) => !canMesh)
  const meshPeers = [...relay.sessions].filter(({ canMesh }) => canMesh)
  const endsInMs = (at: number) => (at / clients.length) * spreadMs
  for (const [at, client] of clients.entries()) tellRestart(relay, client, endsInMs(at), options)
  for (const peer of meshPeers) tellRestart(relay, peer, spreadMs, options)
  const ending = new Ending(relay.clock, options)
  const moved = await Promise.all(clients.map((client, at) => ending.of(client, endsInMs(at))))
  await options.clientsEnded?.()
  moved.push(...(await Promise.all(meshPeers.map(peer => ending.of(peer)))))
  ending.close()
  const cut = moved.filter(isMoved => !isMoved).length
  return { told: moved.length, moved: moved.length - cut, cut }
}

/** Tells a client when to reconnect: not before its connection has ended, and not when all others do. */
function tellRestart(relay: DrainedRelay, session: Session, endsInMs: number, options: DrainOptions): void {
  const { spreadMs, tryForMs } = options
  const reconnectInMs = Math.floor(Math.max(endsInMs, relay.random() * spreadMs))
  session.sendControl(encodeServerToClient({ type: 'serverRestarting', reconnectInMs, tryForMs }))
}

/** Ends sessions, each at its own time, until the rest is cut. */
class Ending {
  readonly #clock: Clock
  readonly #cuts = new Set<() => void>()
  #isCut = false
  /** Cancels the cut. */
  readonly close: () => void

  constructor(clock: Clock, { deadlineMs, signal }: DrainOptions) {
    this.#clock = clock
    const cut = () => this.#cut()
    const deadline = deadlineMs === undefined ? undefined : clock.after(deadlineMs, cut)
    signal?.addEventListener('abort', cut)
    this.close = () => {
      deadline?.cancel()
      signal?.removeEventListener('abort', cut)
    }
    if (signal?.aborted === true) this.#cut()
  }

  /** Ends the session, after a delay if any; resolves to whether everything was written. */
  of(session: Session, delayMs?: number): Promise<boolean> {
    return new Promise(resolve => {
      const end = () => session.end(resolve)
      // The last socket may be gone before the last timer: keep the process alive.
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
