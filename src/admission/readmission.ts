/** Asks again about clients that are connected, once the rules have changed, and ends whom they do not let in any more (P-040). */

import type { Log } from '../lib/log.ts'
import type { AdmissionGate, AdmissionRequest } from '../server/ports.ts'

/** A client that is connected; a `Session` has this shape. */
export interface ReadmittedClient {
  readonly key: AdmissionRequest['clientKey']
  readonly info: AdmissionRequest['info']
  readonly remote: AdmissionRequest['remote']
  readonly token: string | undefined
  /** A sibling, about whom nobody is asked. */
  readonly canMesh: boolean
  readonly isClosed: boolean
  close(): void
}

/** Clients that are asked about at the same time: the sources have new clients to answer for as well. */
const ASKED_AT_ONCE = 8

export class Readmission {
  readonly #clients: () => Iterable<ReadmittedClient>
  readonly #gate: AdmissionGate
  readonly #log: Log
  #running: Promise<void> = Promise.resolve()
  #isStopped = false

  constructor(clients: () => Iterable<ReadmittedClient>, gate: AdmissionGate, log: Log) {
    this.#clients = clients
    this.#gate = gate
    this.#log = log
  }

  /** Asks about all, or about those that `concerns` says, after what is being asked already. Never rejects. */
  run(concerns: (client: ReadmittedClient) => boolean = () => true): Promise<void> {
    this.#running = this.#running.then(() => this.#askAgain(concerns))
    return this.#running
  }

  /** Asks no more. */
  stop(): void {
    this.#isStopped = true
  }

  async #askAgain(concerns: (client: ReadmittedClient) => boolean): Promise<void> {
    const waiting = [...this.#clients()].filter(client => !client.canMesh && concerns(client))
    const asked = waiting.length
    if (asked === 0) return
    let ended = 0
    const askInTurn = async () => {
      for (let client = waiting.pop(); client !== undefined && !this.#isStopped; client = waiting.pop()) {
        if (client.isClosed || (await this.#isWelcome(client))) continue
        client.close()
        ended++
      }
    }
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, askInTurn))
    this.#log.info('clients judged again', { asked, ended })
  }

  /** A source that does not answer ends no connection. */
  async #isWelcome({ key: clientKey, info, remote, token }: ReadmittedClient): Promise<boolean> {
    try {
      const verdict = await this.#gate.admit({ clientKey, info, remote, token })
      return verdict.admit || verdict.isUnsure === true
    } catch {
      return true
    }
  }
}
