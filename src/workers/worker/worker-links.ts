/** The ways by which a worker's packets go straight to other workers and to the coordinator, and theirs come here. */

import type { LinkMessage } from '../channel/messages.ts'
import type { Port, TransferHandle } from '../channel/port.ts'
import type { FrameSink } from '../link/link-batch.ts'
import { type LinkHost, LinkSender, takeFromLink } from '../link/packet-link.ts'
import { WorkerLink } from './destinations.ts'

/** Makes a port of what came in a message. */
export type OpenLink = (port: TransferHandle) => Port<ArrayBuffer, ArrayBuffer>

interface OpenedLink {
  readonly port: Port<ArrayBuffer, ArrayBuffer>
  readonly sender: LinkSender
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

  /** Sends to a worker, or to the coordinator, and takes what comes from there. */
  add(worker: number, message: LinkMessage): LinkSender {
    const port = this.#openLink(message.port)
    takeFromLink(port, message.received, this.#host.memory, this.#taker)
    const sender = new LinkSender(this.#host, port, message.sent)
    this.#links.set(worker, { port, sender, link: new WorkerLink(sender) })
    return sender
  }

  /** The worker is gone; what it had sent comes first. */
  remove(worker: number): void {
    const link = this.#links.get(worker)
    if (link === undefined) return
    link.port.drain()
    link.sender.close()
    link.port.close()
    this.#links.delete(worker)
  }

  /** Takes all that the worker has sent. */
  drain(worker: number): void {
    this.#links.get(worker)?.port.drain()
  }

  /** Sends all that is to leave with this turn. */
  flush(): void {
    for (const { sender } of this.#links.values()) sender.flush()
  }

  /** The way to another worker; undefined for one that is gone. */
  to(worker: number): WorkerLink | undefined {
    return this.#links.get(worker)?.link
  }
}
