/** A connection on its way from TCP accept to whoever serves it; connection-stages.ts has the way. */

import type { Socket } from 'node:net'
import type { AddressPort } from '../../lib/address-port.ts'
import type { AcceptDeadline } from '../accept-deadline.ts'

/** One step of the way. It calls {@link Connection.proceed} at once or later, or ends the connection. */
export interface Stage {
  readonly name: string
  /** The clause that it keeps. */
  readonly clause: string
  readonly run: (connection: Connection) => void
}

export class Connection {
  /** As it was accepted. */
  readonly raw: Socket
  /** What the next stage reads from: {@link raw}, or the TLS socket above it. */
  socket: Socket
  /** Set until the client has said what it wants. */
  deadline: AcceptDeadline | undefined
  /** Who is at the other end, if a PROXY header says so (P-126). */
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
   * The client has said what it wants.
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
