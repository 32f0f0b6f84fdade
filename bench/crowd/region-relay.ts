/** A relay of the measured region: its memory and its metrics. */

import { readFileSync } from 'node:fs'
import { get } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import type { BenchRelay } from '../contender.ts'
import { residentKilobytes } from '../process-memory.ts'

/** Memory is read several times, as freed pages return to the system late; the least counts. */
const READINGS = 5
const READING_PAUSE_MS = 200
const PATIENCE_MS = 120_000

/** After a garbage collection, in KB. */
export interface Memory {
  readonly heap: number
  readonly resident: number
}

export class RegionRelay {
  readonly relay: BenchRelay
  readonly #ca: Buffer

  constructor(relay: BenchRelay) {
    this.relay = relay
    this.#ca = readFileSync(relay.caFile)
  }

  async memory(): Promise<Memory> {
    let least: Memory = { heap: Infinity, resident: Infinity }
    for (let n = 0; n < READINGS; n++) {
      const heap = Number(/(\d+) bytes after/.exec(await this.#page('/debug/gc'))?.[1]) / 1_024
      await delay(READING_PAUSE_MS)
      const resident = residentKilobytes(this.relay.pid)
      least = { heap: Math.min(least.heap, heap), resident: Math.min(least.resident, resident) }
    }
    return least
  }

  /** A metric, by its name in `/debug/vars` below `derphttp`. */
  async metric(name: string): Promise<number> {
    const vars = JSON.parse(await this.#page('/debug/vars')) as { derphttp: Record<string, unknown> }
    return Number(vars.derphttp[name])
  }

  /** Resolves once it knows so many other relays. */
  async untilKnows(relays: number): Promise<void> {
    const giveUpAtMs = performance.now() + PATIENCE_MS
    while ((await this.metric('gauge_region_relays')) !== relays) {
      if (performance.now() > giveUpAtMs)
        throw new Error(`wait until ${this.relay.url} knows ${relays} relays: in vain`)
      await delay(100)
    }
  }

  #page(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = get(new URL(path, this.relay.url), { ca: this.#ca }, response => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part
        })
        response.once('end', () => resolve(text))
      })
      request.once('error', reject)
    })
  }
}
