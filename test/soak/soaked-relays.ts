/** The relays of a soak: one over TLS with two workers, and two in a region over NATS. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { inBackground, type LoadCommand, LoadProgram } from '../../bench/load-program.ts'
import { loadGenerator } from '../../bench/tools.ts'
import { CRASH_HOOK_MODULE } from '../support/crash-hook.ts'
import { type NatsServer, startNatsServer } from '../support/nats-server.ts'
import { type RegionRelay, startRegionRelay, untilRelaysMet } from '../support/region-relay.ts'
import { type RunningRelay, type RunningTlsRelay, startOurTlsRelay } from '../support/relays.ts'
import { threadHooks } from '../support/thread-hooks.ts'
import type { SoakedTarget } from './relay-load.ts'

const ATTACKS = ['tls-records', 'slow', 'handshakes', 'logins', 'resets', 'half-open', 'zero-windows', 'dribble']
const FLOOD_MS = 3_000
const FLOOD_PAUSE_MS = 2_000
const SWAP_MS = 7_000
const KILL_MS = 20_000
const NATS_DOWN_MS = 3_000
const NATS_UP_MS = 9_000
/** Long enough for a connection to end after what is still to be written to it. */
const DRAIN = ['-drain-time', '1s', '-drain-deadline', '10s']
/** Metrics over plain HTTP. */
const METRICS = ['-metrics-addr', '127.0.0.1:0']
/** Of all clients together: above what they send. */
const RATE = 200_000_000

const HOOKS = threadHooks(CRASH_HOOK_MODULE, new URL('soak-hook-thread.ts', import.meta.url))

/** What was done to the relays. */
export interface Disturbances {
  floods: number
  /** Floods that ended early, because a worker crashed under them. */
  cutFloods: number
  swaps: number
  kills: number
  cuts: number
}

interface Parts {
  /** With the configuration file. */
  readonly directory: string
  /** Attackers use other machines, so it yields to what is measured. */
  readonly load: LoadCommand
  readonly nats: NatsServer
  readonly threaded: RunningTlsRelay
  readonly region: readonly [RegionRelay, RegionRelay]
}

const configIn = (directory: string) => join(directory, 'derper.json')

export class SoakedRelays {
  readonly #parts: Parts
  #stop = new AbortController()
  #disturbing: readonly Promise<void>[] = []
  readonly done: Disturbances = { floods: 0, cutFloods: 0, swaps: 0, kills: 0, cuts: 0 }

  private constructor(parts: Parts) {
    this.#parts = parts
  }

  static async start(): Promise<SoakedRelays> {
    const [load, nats] = await Promise.all([loadGenerator(), startNatsServer()])
    const directory = mkdtempSync(join(tmpdir(), 'soak-'))
    writeFileSync(configIn(directory), '{}')
    const threaded = await startOurTlsRelay(
      ['-workers', '2', '-config', configIn(directory), ...METRICS, ...DRAIN],
      HOOKS,
    )
    writeFileSync(join(directory, 'ca.pem'), threaded.ca)
    const flags = [...METRICS, ...DRAIN]
    const region = await Promise.all([
      startRegionRelay(nats.url, flags, HOOKS),
      startRegionRelay(nats.url, flags, HOOKS),
    ])
    await untilRelaysMet(region)
    return new SoakedRelays({ directory, load: inBackground([load]), nats, threaded, region })
  }

  /** By name. */
  get all(): Readonly<Record<string, RunningRelay>> {
    const { threaded, region } = this.#parts
    return { 'two workers': threaded, 'region a': region[0], 'region b': region[1] }
  }

  /** Those that clients of one load reach from each other. */
  get targets(): readonly (readonly SoakedTarget[])[] {
    const { threaded, region } = this.#parts
    return [[{ url: threaded.url, ca: threaded.ca }], region.map(({ url }) => ({ url }))]
  }

  /** Begins to attack them, and to break what they stand on. */
  disturb(): void {
    this.#stop = new AbortController()
    this.#disturbing = [this.#flood(), this.#swap(), this.#kill(), this.#cut()]
  }

  async calm(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#disturbing)
  }

  /** What all threads of each relay hold when garbage is collected, in bytes. */
  held(): Promise<readonly number[]> {
    return Promise.all(Object.values(this.all).map(heldBytes))
  }

  /** Ends the relays, as a service manager does. */
  async end(): Promise<void> {
    for (const { program } of Object.values(this.all)) program.child.kill('SIGTERM')
    await Promise.all(Object.values(this.all).map(({ program }) => program.exit()))
  }

  async remove(): Promise<void> {
    const { threaded, region, nats, directory } = this.#parts
    await Promise.all([...region, threaded, nats].map(each => each.stop()))
    rmSync(directory, { recursive: true })
  }

  async #flood(): Promise<void> {
    const { threaded, load, directory } = this.#parts
    const attacked = { url: threaded.url, pid: threaded.program.child.pid as number, caFile: join(directory, 'ca.pem') }
    while (await this.#pause(FLOOD_PAUSE_MS)) {
      const attack = ATTACKS[this.done.floods++ % ATTACKS.length] as string
      const flood = await LoadProgram.start(load, 'flood', attacked, { attack, duration: 0 })
      try {
        await flood.ready()
        flood.begin()
        await delay(FLOOD_MS)
      } catch {
        this.done.cutFloods++
      } finally {
        await flood.stop('SIGKILL')
      }
    }
  }

  async #swap(): Promise<void> {
    const { threaded, directory } = this.#parts
    while (await this.#pause(SWAP_MS)) {
      const n = ++this.done.swaps
      await threaded.replaceCertificate(`soaked ${n}`)
      writeFileSync(configIn(directory), JSON.stringify({ 'total-rate': n % 2 === 0 ? 0 : RATE }))
      threaded.program.child.kill('SIGHUP')
    }
  }

  /** Has a worker crash. */
  async #kill(): Promise<void> {
    while (await this.#pause(KILL_MS)) {
      this.done.kills++
      this.#parts.threaded.program.child.kill('SIGUSR2')
    }
  }

  async #cut(): Promise<void> {
    const { nats } = this.#parts
    while (await this.#pause(NATS_UP_MS)) {
      this.done.cuts++
      await nats.kill()
      await delay(NATS_DOWN_MS)
      await nats.restart()
    }
  }

  /** Whether to go on. */
  async #pause(ms: number): Promise<boolean> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => {})
    return !this.#stop.signal.aborted
  }
}

async function heldBytes({ program }: RunningRelay): Promise<number> {
  const from = program.stderr.length
  program.child.kill('SIGWINCH')
  for (;;) {
    const [, answers] = /^\{"heldBytes":\[(.*)\]\}$/m.exec(program.stderr.slice(from)) ?? []
    if (answers !== undefined) return answers.split(',').reduce((sum, bytes) => sum + Number(bytes), 0)
    await delay(100)
  }
}
