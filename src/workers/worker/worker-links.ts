/** A worker's packet links to other workers and the coordinator. */

import type { RelayCounters } from '../../metrics/counters.ts'
import type { LinkMessage } from '../channel/messages.ts'
import type { Port, TransferHandle } from '../channel/port.ts'
import type { FrameSink } from '../link/link-batch.ts'
import { type LinkHost, LinkSender, takeFromLink } from '../link/packet-link.ts'
import { WorkerLink } from './destinations.ts'

/** Creates a port from a transferred one. */
export type OpenLink = (port: TransferHandle) => Port<ArrayBuffer, ArrayBuffer>

interface OpenedLink {
  readonly port: Port<ArrayBuffer, ArrayBuffer>
  readonly sender: LinkSender
  readonly endReceiving: (counters: RelayCounters) => void
  readonly link: WorkerLink
}

export class WorkerLinks {
  readonly #host: LinkHost
  readonly #openLink: OpenLink
  readonly #taker: FrameSink
  readonly #links = new Map<number, OpenedLink>()

  constructor(host: LinkHost, openLink: OpenLink, taker: FrameSink) {
    this.#host = host
    this.#openLink = openLink
    this.#taker = taker
  }

  /** Connects to a worker or the coordinator, in both directions. */
  add(worker: number, message: LinkMessage): LinkSender {
    const port = this.#openLink(message.port)
    const { memory, ledger } = this.#host
    const endReceiving = takeFromLink(port, message.received, memory, this.#taker, ledger)
    const sender = new LinkSender(this.#host, port, message.sent)
    this.#links.set(worker, { port, sender, endReceiving, link: new WorkerLink(sender) })
    return sender
  }

  /** The worker is gone; what it had sent is delivered first. */
  remove(worker: number): void {
    const link = this.#links.get(worker)
    if (link === undefined) return
    link.endReceiving(this.#host.counters)
    link.sender.close()
    this.#host.ledger.publish()
    this.#links.delete(worker)
  }

  /** Delivers everything that the worker has sent. */
  drain(worker: number): void {
    this.#links.get(worker)?.port.drain()
  }

  /** Sends everything queued in this turn. */
  flush(): void {
    for (const { sender } of this.#links.values()) sender.flush()
  }

  /** The link to another worker; undefined if it is gone. */
  to(worker: number): WorkerLink | undefined {
    return this.#links.get(worker)?.link
  }
}
