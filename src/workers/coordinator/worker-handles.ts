/** All workers of a relay. */

import type { ToWorker } from '../channel/messages.ts'
import { WorkerHandle, type WorkerPort } from './worker-handle.ts'

export class WorkerHandles {
  readonly #all = new Set<WorkerHandle>()
  #lastNumber = 0

  /** A worker is starting. */
  add(port: WorkerPort): WorkerHandle {
    const handle = new WorkerHandle(++this.#lastNumber, port)
    this.#all.add(handle)
    return handle
  }

  /** A worker is gone; returns whether it was there. */
  remove(handle: WorkerHandle): boolean {
    handle.close()
    return this.#all.delete(handle)
  }

  /** Workers that receive all changes. */
  get joined(): readonly WorkerHandle[] {
    return [...this.#all].filter(({ isJoined }) => isJoined)
  }

  /** Sends to all. */
  send(message: ToWorker): void {
    for (const handle of this.#all) if (handle.isJoined) handle.send(message)
  }

  /** Stops all, including those not joined yet. */
  closeAll(): void {
    for (const handle of this.#all) handle.send({ type: 'close' })
  }

  /** Calls `fn` once all have handled everything sent so far. */
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
