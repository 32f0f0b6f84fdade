/**
 * Our relay while clients come, talk, attack and are killed, round after round: does it crash, lose a login, or grow?
 *
 * Clients are stock ones, over TLS. Needs Linux and Go.
 */

import { readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { type BenchRelay, Identity, startRelay } from '../../bench/contender.ts'
import { ourRelay, ourRelayOnBun } from '../../bench/contenders.ts'
import { type ChurnSample, growthOf } from '../../bench/growth.ts'
import { type LoadCommand, type LoadFlags, type LoadKind, LoadProgram } from '../../bench/load-program.ts'
import { peakKilobytes, resetPeak, residentKilobytes } from '../../bench/process-memory.ts'
import { loadGenerator } from '../../bench/tools.ts'

const USAGE = `usage: npm run churn -- [options]

  --minutes N     length; default 15, at least 1
  --runtime NAME  bun (default) or node
  --workers N     of the relay; default 1
`

const LOGINS = 500
const LOGINS_AT_ONCE = 32
const FLOW_MS = 1_500
const FLOOD_MS = 1_500
/** Rest before memory is read, and at the end. */
const REST_MS = 500
const LAST_REST_MS = 15_000
/** What the runtime itself may open meanwhile. */
const SPARE_DESCRIPTORS = 10
/** One a round. */
const ATTACKS = ['tls-records', 'slow', 'handshakes', 'logins', 'resets', 'half-open', 'zero-windows', 'dribble']

class Churn {
  readonly #relay: BenchRelay
  readonly #load: LoadCommand
  /** The most memory in MB by phase. */
  readonly peaks = new Map<string, number>()
  readonly samples: ChurnSample[] = []
  lostLogins = 0
  rounds = 0

  constructor(relay: BenchRelay, load: LoadCommand) {
    this.#relay = relay
    this.#load = load
  }

  async run(minutes: number): Promise<void> {
    const startMs = performance.now()
    const minute = () => (performance.now() - startMs) / 60_000
    this.#note(0)
    while (minute() < minutes) {
      await this.#phase('flows', () => this.#killed('flow', { pairs: 20, duration: 0 }, FLOW_MS))
      await this.#phase('logins', () => this.#logins())
      const attack = ATTACKS[this.rounds % ATTACKS.length] as string
      await this.#phase(attack, () => this.#killed('flood', { attack, duration: 0 }, FLOOD_MS))
      this.rounds++
      await delay(REST_MS)
      this.#note(minute())
    }
    await delay(LAST_REST_MS)
  }

  get restMegabytes(): number {
    return megabytes(residentKilobytes(this.#relay.pid))
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.#relay.pid}/fd`).length
  }

  #note(minute: number): void {
    const sample = { minute, megabytes: this.restMegabytes, descriptors: this.descriptors }
    const before = this.samples.at(-1)
    this.samples.push(sample)
    if (before !== undefined && Math.floor(minute) === Math.floor(before.minute)) return
    const peak = Math.max(...this.peaks.values())
    const most = this.peaks.size === 0 ? '' : `, most so far ${peak.toFixed(0)} MB`
    console.log(
      `minute ${minute.toFixed(1)}: ${sample.megabytes.toFixed(0)} MB at rest${most}, ${sample.descriptors} descriptors, ${this.rounds} rounds`,
    )
  }

  async #phase(name: string, run: () => Promise<void>): Promise<void> {
    resetPeak(this.#relay.pid)
    await run()
    this.peaks.set(name, Math.max(this.peaks.get(name) ?? 0, megabytes(peakKilobytes(this.#relay.pid))))
  }

  /** Load that is killed amid its work. */
  async #killed(kind: LoadKind, flags: LoadFlags, ms: number): Promise<void> {
    const load = await LoadProgram.start(this.#load, kind, this.#relay, flags)
    try {
      await load.ready()
      load.begin()
      await delay(ms)
    } finally {
      await load.stop('SIGKILL')
    }
  }

  /** Logins of which each must succeed, and stay. */
  async #logins(): Promise<void> {
    const flags = { clients: LOGINS, workers: LOGINS_AT_ONCE }
    const load = await LoadProgram.start(this.#load, 'idle', this.#relay, flags)
    try {
      await load.ready()
      const { clients, lost } = await load.finish()
      this.lostLogins += lost + LOGINS - clients
    } catch (error) {
      this.lostLogins++
      console.log(`logins of round ${this.rounds + 1}: ${(error as Error).message.trim()}`)
      // Throws if the relay is gone.
      residentKilobytes(this.#relay.pid)
    } finally {
      await load.stop()
    }
  }
}

const megabytes = (kilobytes: number) => kilobytes / 1_024

async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '15' },
      runtime: { type: 'string', default: 'bun' },
      workers: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  })
  const [minutes, workers] = [Number(values.minutes), Number(values.workers)]
  if (values.help || !(minutes >= 1) || !(workers >= 1) || !['bun', 'node'].includes(values.runtime)) {
    console.error(USAGE)
    process.exit(values.help ? 0 : 2)
  }
  using identity = await Identity.create()
  const contender = values.runtime === 'bun' ? ourRelayOnBun() : ourRelay([])
  const load = [await loadGenerator()] as const
  const relay = await startRelay(contender, 'tls', identity, { args: ['-workers', String(workers)] })
  const churn = new Churn(relay, load)
  try {
    await churn.run(minutes)
    return report(churn)
  } catch (error) {
    console.log(`failed in round ${churn.rounds + 1}: ${(error as Error).message}\n${relay.stderr().slice(-4_096)}`)
    return false
  } finally {
    await relay.stop()
  }
}

function report(churn: Churn): boolean {
  const growth = growthOf(churn.samples)
  const peaks = [...churn.peaks].toSorted(([, a], [, b]) => b - a)
  const [first] = churn.samples
  const leaked = churn.descriptors - (first?.descriptors ?? 0)
  console.log(`rounds: ${churn.rounds}, lost logins: ${churn.lostLogins} of ${churn.rounds * LOGINS}`)
  console.log(`most memory by phase, MB: ${peaks.map(([name, most]) => `${name} ${most.toFixed(0)}`).join(', ')}`)
  console.log(
    `memory at rest, MB: ${first?.megabytes.toFixed(0)} at start, ${churn.restMegabytes.toFixed(0)} at the end`,
  )
  console.log(`descriptors: ${first?.descriptors} at start, ${churn.descriptors} at the end`)
  console.log(
    `growth after the first part: ${growth.megabytesPerMinute.toFixed(2)} MB per minute, ${growth.inAll.toFixed(1)} MB in all (at most ${growth.most.toFixed(0)})`,
  )
  return churn.lostLogins === 0 && growth.inAll <= growth.most && leaked <= SPARE_DESCRIPTORS
}

process.exitCode = (await main()) ? 0 : 1
