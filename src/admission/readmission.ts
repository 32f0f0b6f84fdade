/** Re-checks connected clients after rule changes, and disconnects those no longer admitted (P-040). */

import type { Log } from '../lib/log.ts'
import type { AdmissionGate, AdmissionRequest } from '../server/ports.ts'

/** A connected client; `Session` implements this. */
export interface ReadmittedClient {
  readonly key: AdmissionRequest['clientKey']
  readonly info: AdmissionRequest['info']
  readonly remote: AdmissionRequest['remote']
  readonly token: string | undefined
  /** A mesh peer, which skips admission. */
  readonly canMesh: boolean
  readonly isClosed: boolean
  close(): void
}

/** Clients checked concurrently; leaves backend capacity for new clients. */
const CONCURRENCY = 8

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

  /** Checks all clients, or those matching `concerns`, after any earlier run. Never rejects. */
  run(concerns: (client: ReadmittedClient) => boolean = () => true): Promise<void> {
    this.#running = this.#running.then(() => this.#check(concerns))
    return this.#running
  }

  /** Stops checking. */
  stop(): void {
    this.#isStopped = true
  }

  async #check(concerns: (client: ReadmittedClient) => boolean): Promise<void> {
    const waiting = [...this.#clients()].filter(client => !client.canMesh && concerns(client))
    const asked = waiting.length
    if (asked === 0) return
    let ended = 0
    const checkNext = async () => {
      for (let client = waiting.pop(); client !== undefined && !this.#isStopped; client = waiting.pop()) {
        if (client.isClosed || (await this.#isAdmitted(client))) continue
        client.close()
        ended++
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, checkNext))
    this.#log.info('clients re-checked', { asked, ended })
  }

  /** An unreachable backend disconnects no one. */
  async #isAdmitted({ key: clientKey, info, remote, token }: ReadmittedClient): Promise<boolean> {
    try {
      const verdict = await this.#gate.admit({ clientKey, info, remote, token })
      return verdict.admit || verdict.isUnsure === true
    } catch {
      return true
    }
  }
}
