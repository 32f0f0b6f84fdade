/** The main thread's side of the thread for STUN: starts it, and replaces it if it crashes. */

import { Worker } from 'node:worker_threads'
import type { AddressPort } from '../../lib/address-port.ts'
import type { Clock, Timer } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { StunRequestCounters } from '../../stun/request-counters.ts'
import type { StunCounters } from '../../stun/responder.ts'
import type { WantedPort } from '../bind.ts'
import type { StunSettings } from '../settings.ts'
import { ThreadCalls } from '../workers/thread-calls.ts'
import { memoryFor, sharedNumbers } from './shared-numbers.ts'
import { createStunCounts, type StunCounts, type StunThreadCalls, type StunThreadData } from './stun-calls.ts'
import { STUN_ENTRY, STUN_MARK } from './stun-entry.ts'
import { stunEvents } from './stun-events.ts'

/** A small heap is enough, as requests leave nothing behind; by default it would be most of the thread's memory. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 }
/** Bytes of its heap. */
export const MAX_STUN_BYTES: number =
  (RESOURCE_LIMITS.maxYoungGenerationSizeMb + RESOURCE_LIMITS.maxOldGenerationSizeMb) << 20
/** Milliseconds until a thread that crashed is replaced, and until one that does not close is ended. */
const RESTART_MS = 1_000
const CLOSE_MS = 2_000

/** The UDP port to bind. */
export function wantedStunPort({ host, port }: StunSettings): WantedPort {
  return { host, port, flag: 'stun-port', protocol: 'udp' }
}

export interface StunThreadParts {
  readonly clock: Clock
  readonly log: Log
}

interface Running {
  readonly thread: Worker
  readonly calls: ThreadCalls<StunThreadCalls>
  /** Why it ended. */
  reason: string
}

export class StunThread {
  readonly #stun: StunSettings
  readonly #parts: StunThreadParts
  readonly #memory = memoryFor(createStunCounts())
  readonly #counts: StunCounts = sharedNumbers(createStunCounts(), this.#memory)
  #running: Running | undefined
  #restart: Timer | undefined
  #isClosed = false

  /** Starts no thread yet. */
  constructor(stun: StunSettings, parts: StunThreadParts) {
    this.#stun = stun
    this.#parts = parts
  }

  get counters(): Readonly<StunCounters> {
    return this.#counts.counters
  }

  get requests(): StunRequestCounters {
    return this.#counts.requests
  }

  /** Starts the thread and binds; resolves to the address. Rejects, leaving no thread, if that fails. */
  listen(): Promise<AddressPort> {
    return this.#start(this.#stun.port)
  }

  /** Frees the port and ends the thread. */
  async close(): Promise<void> {
    this.#isClosed = true
    this.#restart?.cancel()
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    const tooLate = Promise.withResolvers<void>()
    const timer = this.#parts.clock.after(CLOSE_MS, tooLate.resolve)
    await Promise.race([running.calls.call('close').catch(() => {}), tooLate.promise])
    timer.cancel()
    await running.thread.terminate()
  }

  async #start(port: number): Promise<AddressPort> {
    const running = this.#createThread()
    try {
      const address = await running.calls.call('listen', port)
      running.thread.once('exit', () => this.#onCrash(running, address.port))
      if (this.#isClosed) await this.close()
      return address
    } catch (error) {
      this.#running = undefined
      await running.thread.terminate()
      throw error
    }
  }

  #createThread(): Running {
    const data: StunThreadData = { stun: this.#stun, counts: this.#memory }
    const thread = new Worker(STUN_ENTRY, {
      name: 'derp STUN',
      workerData: { mark: STUN_MARK, data },
      resourceLimits: RESOURCE_LIMITS,
    })
    const calls = new ThreadCalls<StunThreadCalls>(thread, stunEvents(this.#parts.log))
    const running: Running = { thread, calls, reason: 'it exited' }
    thread.on('error', error => {
      running.reason = error instanceof Error ? error.message : String(error)
    })
    thread.once('exit', () => calls.close())
    this.#running = running
    return running
  }

  #onCrash(running: Running, port: number): void {
    if (this.#running !== running) return
    this.#running = undefined
    this.#parts.log.error('STUN thread crashed', { reason: running.reason, restartInMs: RESTART_MS })
    this.#restartLater(port)
  }

  #restartLater(port: number): void {
    this.#restart = this.#parts.clock.after(RESTART_MS, () => {
      this.#start(port).catch((error: unknown) => {
        if (this.#isClosed) return
        this.#parts.log.error('STUN thread not restarted', { reason: String(error), restartInMs: RESTART_MS })
        this.#restartLater(port)
      })
    })
  }
}
