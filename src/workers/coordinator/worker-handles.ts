/** All workers of a relay. */

import type { ToWorker } from '../channel/messages.ts'
import { WorkerHandle, type WorkerPort } from './worker-handle.ts'

export class WorkerHandles {
  readonly #all = new Set<WorkerHandle>()
  #lastNumber = 0

  /** A worker is being started. */
  add(port: WorkerPort): WorkerHandle {
    const handle = new WorkerHandle(++this.#lastNumber, port)
    this.#all.add(handle)
    return handle
  }

  /** A worker is gone; reports whether it was there. */
  remove(handle: WorkerHandle): boolean {
    handle.close()
    return this.#all.delete(handle)
  }

  /** Those that are told everything. */
  get joined(): readonly WorkerHandle[] {
    return [...this.#all].filter(({ isJoined }) => isJoined)
  }

  /** Tells all. */
  send(message: ToWorker): void {
    for (const handle of this.#all) if (handle.isJoined) handle.send(message)
  }

  /** Has all end, those that are not joined yet as well. */
  closeAll(): void {
    for (const handle of this.#all) handle.send({ type: 'close' })
  }

  /** Calls `fn` once all have handled what they were told until now. */
  whenAllKnow(fn: () => void): void {
    const handles = this.joined
    let left = handles.length
    if (left === 0) fn()
    for (const handle of handles) {
      handle.whenHandled(() => {
        if (--left === 0) fn()
      })
    }
  }
}
