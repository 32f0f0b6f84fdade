/** Drains all workers of a relay together (P-093, P-174). */

import type { DrainOptions, DrainResult } from '../../server/drain.ts'
import type { WorkerHandle } from './worker-handle.ts'
import type { WorkerHandles } from './worker-handles.ts'

export class Draining {
  readonly #handles: WorkerHandles
  /** Workers that still have clients other than mesh peers. */
  readonly #withClients = new Set<WorkerHandle>()
  /** Called when there are none left. */
  #waiting: (() => void)[] = []
  #lost = 0

  constructor(handles: WorkerHandles) {
    this.#handles = handles
  }

  async run({ signal, ...options }: DrainOptions): Promise<DrainResult> {
    const { spreadMs, tryForMs, deadlineMs } = options
    const handles = this.#handles.joined
    for (const handle of handles) this.#withClients.add(handle)
    const answers = handles.map(handle => handle.asking.ask('drain', { spreadMs, tryForMs, deadlineMs }))
    const cut = () => this.#handles.send({ type: 'cut' })
    signal?.addEventListener('abort', cut, { once: true })
    if (signal?.aborted === true) cut()
    const results = await Promise.allSettled(answers)
    signal?.removeEventListener('abort', cut)
    const total = { told: this.#lost, moved: 0, cut: this.#lost }
    for (const result of results) {
      if (result.status === 'rejected') continue
      total.told += result.value.told
      total.moved += result.value.moved
      total.cut += result.value.cut
    }
    return total
  }

  /** A worker has no clients left; `proceed` is called when that is true of all. */
  onClientsEnded(handle: WorkerHandle, proceed: () => void): void {
    this.#waiting.push(proceed)
    this.#withClients.delete(handle)
    this.#proceedWhenAllHave()
  }

  /** A worker is gone, with this many connections. */
  onWorkerGone(handle: WorkerHandle, connections: number): void {
    if (!this.#withClients.delete(handle)) return
    this.#lost += connections
    this.#proceedWhenAllHave()
  }

  #proceedWhenAllHave(): void {
    if (this.#withClients.size > 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const proceed of waiting) proceed()
  }
}
