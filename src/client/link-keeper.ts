/**
 * Keeps at most one connection for a client: makes it when it is asked for, drops it when a call has failed on it.
 *
 * Has no timers: who calls next connects next.
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
  /** 1 for the client's first connection, one more for each later one. */
  readonly generation: number
  readonly tls: TlsConnectionState | undefined
  /** The one that was connected to, of a region. */
  readonly node?: DERPNode | undefined
  readonly pings: PendingPings
}

/** What the owner of a {@link LinkKeeper} does for it. */
export interface LinkSource {
  /** Makes a connection, or ends trying when `stop` is aborted. */
  open(stop: AbortSignal): Promise<OpenedConnection>
  /** A connection was made; called before anybody else can use it. */
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

  /** What the owner's users are told. */
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

  /** The connection in use, if any: it may have failed without anybody knowing yet. */
  get link(): Link | undefined {
    return this.#link
  }

  /** The connection in use. @throws DerpError when there is none. */
  require(action: string): Link {
    if (this.isClosed) throw closedError(action)
    if (this.#link === undefined) throw new DerpError('ERR_DERP_CLIENT_NOT_CONNECTED', `${action}: not connected`)
    return this.#link
  }

  /** The connection in use, made if need be: all who wait for it share one attempt. */
  async connected(action: string, signal?: AbortSignal): Promise<Link> {
    this.#started = true
    if (this.isClosed) throw closedError(action)
    if (signal?.aborted) throw abortedError(action, signal)
    if (this.#link !== undefined) return this.#link
    if (this.#attempt === undefined || this.#attempt.isAborted) this.#attempt = this.#begin()
    return this.#attempt.wait(action, signal)
  }

  /**
   * Has `call` use the connection, made if need be; one that is there is used within this turn.
   *
   * A call that fails drops its connection, unless it was only given up.
   */
  async use<T>(action: string, signal: AbortSignal | undefined, call: (link: Link) => Promise<T>): Promise<T> {
    const link = this.#link ?? (await this.connected(action, signal))
    return call(link).catch(error => this.#failed(link, error, signal))
  }

  /** Ends a connection, so that the next call makes a new one; does nothing when that has been done. */
  drop(link: Link, error: DerpError): void {
    if (this.#link !== link) return
    this.#link = undefined
    link.derp.close(error)
    link.pings.fail(error)
    this.#log.debug('connection dropped', { code: error.code, reason: error.message })
  }

  /** Ends connection and attempt, and takes no more calls. @throws DerpError the second time. */
  close(): void {
    if (this.isClosed) throw closedError('close client')
    const error = closedError('use client')
    this.#closing.abort(error)
    this.#attempt?.abort(error)
    if (this.#link !== undefined) this.drop(this.#link, error)
  }

  #failed(link: Link, error: unknown, signal: AbortSignal | undefined): never {
    if (this.isClosed) throw closedError('use client')
    if (error instanceof DerpError && !signal?.aborted) this.drop(link, error)
    throw error
  }

  #begin(): SharedAttempt<Link> {
    const attempt: SharedAttempt<Link> = new SharedAttempt(async stop => {
      try {
        return this.#adopt(await this.#source.open(stop), stop)
      } finally {
        // Before anybody hears of the result, so that the next call cannot meet an attempt that is over.
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

/** What calls on a closed client are rejected with. */
export function closedError(action: string): DerpError {
  return new DerpError(ErrClientClosed, `${action}: client is closed`, { clause: 'P-209' })
}
