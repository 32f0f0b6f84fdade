/** A connection on its path from TCP accept to what serves it; see connection-stages.ts. */

import type { Socket } from 'node:net'
import type { AddressPort } from '../../lib/address-port.ts'
import type { AcceptDeadline } from '../accept-deadline.ts'

/** One step of the path. It calls {@link Connection.proceed} now or later, or closes the connection. */
export interface Stage {
  readonly name: string
  /** The clause it implements. */
  readonly clause: string
  readonly run: (connection: Connection) => void
}

export class Connection {
  /** As it was accepted. */
  readonly raw: Socket
  /** Where the next stage reads from: {@link raw}, or the TLS socket above it. */
  socket: Socket
  /** Set until the client has made its request. */
  deadline: AcceptDeadline | undefined
  /** The client, if a PROXY header names it (P-126). */
  source: AddressPort | undefined
  readonly #stages: readonly Stage[]
  #at = 0

  constructor(socket: Socket, stages: readonly Stage[]) {
    this.raw = socket
    this.socket = socket
    this.#stages = stages
  }

  get destroyed(): boolean {
    return this.raw.destroyed
  }

  /** Enters the next stage. */
  proceed(): void {
    this.#stages[this.#at++]?.run(this)
  }

  /**
   * The client has made its request.
   *
   * @returns when it was accepted, in milliseconds of the clock; undefined after the first call.
   */
  liftDeadline(): number | undefined {
    const { deadline } = this
    this.deadline = undefined
    deadline?.lift()
    return deadline?.acceptedAtMs
  }
}
