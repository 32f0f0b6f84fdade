/**
 * Keeps at most one connection for a client: opens it on demand, drops it when a call on it has failed.
 *
 * Has no timers: the next call reconnects.
 * Clauses: P-201 lazy connect, P-205 reconnect, P-206 generation, P-209 close.
 */

import type { DERPNode } from '../derpmap/types.ts'
import { abortedError } from '../lib/abort.ts'
import { DerpError } from '../lib/derp-error.ts'
import type { Log } from '../lib/log.ts'
import { SharedAttempt } from '../lib/shared-attempt.ts'
import type { ConnectedState } from './connected-state.ts'
import type { DerpClient } from './derp-client.ts'
import type { OpenedConnection } from './open-connection.ts'
import { PendingPings } from './pending-pings.ts'
import type { TlsConnectionState } from './ports.ts'

/** A connection in use. */
export interface Link {
  readonly derp: DerpClient
  /** 1 for the client's first connection, incremented for each later one. */
  readonly generation: number
  readonly tls: TlsConnectionState | undefined
  /** The connected node of a region. */
  readonly node?: DERPNode | undefined
  readonly pings: PendingPings
}

/** What a {@link LinkKeeper} needs from its owner. */
export interface LinkSource {
  /** Connects, or stops trying when `stop` is aborted. */
  open(stop: AbortSignal): Promise<OpenedConnection>
  /** A connection was established; called before anyone else can use it. */
  onLink(link: Link): void
}

export class LinkKeeper {
  readonly #source: LinkSource
  readonly #log: Log
  #link: Link | undefined
  #attempt: SharedAttempt<Link> | undefined
  readonly #closing = new AbortController()
  #generation = 0
  #started = false

  constructor(source: LinkSource, log: Log) {
    this.#source = source
    this.#log = log
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted
  }

  /** Aborted by {@link close}. */
  get closed(): AbortSignal {
    return this.#closing.signal
  }

  /** Whether a connection was ever asked for. */
  get isStarted(): boolean {
    return this.#started
  }

  /** The state for users of the owner. */
  state(): ConnectedState {
    const derp = this.#link?.derp
    const connected = derp !== undefined && derp.error === undefined
    return {
      connected,
      connecting: this.#attempt !== undefined && !this.#attempt.isAborted,
      closed: this.isClosed,
      localAddr: connected ? derp.local : undefined,
    }
  }

  /** The current connection, if any; it may have failed without having been noticed. */
  get link(): Link | undefined {
    return this.#link
  }

  /** The current connection. @throws DerpError if there is none. */
  require(action: string): Link {
    if (this.isClosed) throw closedError(action)
    if (this.#link === undefined) throw new DerpError('ERR_DERP_CLIENT_NOT_CONNECTED', `${action}: not connected`)
    return this.#link
  }

  /** The current connection, opened if necessary: all waiting callers share one attempt. */
  async connected(action: string, signal?: AbortSignal): Promise<Link> {
    this.#started = true
    if (this.isClosed) throw closedError(action)
    if (signal?.aborted) throw abortedError(action, signal)
    if (this.#link !== undefined) return this.#link
    if (this.#attempt === undefined || this.#attempt.isAborted) this.#attempt = this.#begin()
    return this.#attempt.wait(action, signal)
  }

  /**
   * Calls `call` with the connection, opened if necessary; an existing one is used within this turn.
   *
   * A call that fails drops its connection, unless it was only aborted.
   */
  async use<T>(action: string, signal: AbortSignal | undefined, call: (link: Link) => Promise<T>): Promise<T> {
    const link = this.#link ?? (await this.connected(action, signal))
    return call(link).catch(error => this.#failed(link, error, signal))
  }

  /** Closes a connection, so that the next call opens a new one; no effect if already done. */
  drop(link: Link, error: DerpError): void {
    if (this.#link !== link) return
    this.#link = undefined
    link.derp.close(error)
    link.pings.fail(error)
    this.#log.debug('connection dropped', { code: error.code, reason: error.message })
  }

  /** Closes connection and attempt, and rejects further calls. @throws DerpError the second time. */
  close(): void {
    if (this.isClosed) throw closedError('close client')
    const error = closedError()
    this.#closing.abort(error)
    this.#attempt?.abort(error)
    if (this.#link !== undefined) this.drop(this.#link, error)
  }

  #failed(link: Link, error: unknown, signal: AbortSignal | undefined): never {
    if (this.isClosed) throw closedError()
    if (error instanceof DerpError && !signal?.aborted) this.drop(link, error)
    throw error
  }

  #begin(): SharedAttempt<Link> {
    const attempt: SharedAttempt<Link> = new SharedAttempt(async stop => {
      try {
        return this.#adopt(await this.#source.open(stop), stop)
      } finally {
        // Before the result is seen, so that the next call cannot find a finished attempt.
        if (this.#attempt === attempt) this.#attempt = undefined
      }
    })
    return attempt
  }

  #adopt({ derp, tls, node }: OpenedConnection, stop: AbortSignal): Link {
    if (stop.aborted) {
      derp.close()
      throw abortedError('connect', stop)
    }
    this.#generation++
    this.#link = { derp, tls, node, generation: this.#generation, pings: new PendingPings() }
    this.#log.debug('connected', { server: derp.serverKey.shortString(), generation: this.#generation })
    this.#source.onLink(this.#link)
    return this.#link
  }
}

/** Code of the error that calls on a closed client reject with. */
export const ErrClientClosed = 'ERR_DERP_CLIENT_CLOSED' // P-209

/** The error of calls on a closed client. */
export function closedError(action = 'finish pending call'): DerpError {
  return new DerpError(ErrClientClosed, `${action}: client is closed`, { clause: 'P-209' })
}
