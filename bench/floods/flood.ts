/** A flood: what attacks the relay, and what the relay needs to be attacked so. */

import type { BenchRelay, Carriage, Contender, Identity, RelaySetup } from '../contender.ts'
import type { FloodCounts, LoadFlags } from '../load-program.ts'
import type { Figure } from '../scenario.ts'

/** What one measurement of a flood needs. */
export interface FloodSetup extends RelaySetup {
  /** For the attackers. */
  readonly flags?: LoadFlags
  /** The attackers start first, as the relay dials them. */
  readonly startsFirst?: boolean
  /** Called when the pair has logged in. */
  pairIsIn?(): void
  end?(): void
}

/** A count of the attackers that says what they achieved. */
export type Outcome = Exclude<keyof FloodCounts, 'bytes'>

export interface Flood {
  readonly id: string
  readonly title: string
  /** Name in bench/go. */
  readonly attack: string
  readonly carriage: Carriage
  readonly outcome?: Outcome
  setUp?(contender: Contender, identity: Identity): Promise<FloodSetup>
}

/** Ages of the pair's packets, from when they were due. */
const PAIR: readonly Figure[] = [
  { id: 'p50', title: 'age p50', unit: 'ms', better: 'less' },
  { id: 'p99', title: 'age p99', unit: 'ms', better: 'less' },
  { id: 'max', title: 'age of the oldest', unit: 'ms', better: 'less' },
  { id: 'lost', title: 'lost', unit: '%', better: 'less' },
]

const COST: readonly Figure[] = [
  { id: 'cpu', title: 'relay CPU seconds per second', unit: 's', better: 'less' },
  { id: 'perKib', title: 'relay CPU per KiB of the attackers', unit: 'µs', better: 'less' },
  { id: 'sent', title: 'sent by attackers per second', unit: 'MB', better: 'less' },
  { id: 'rss', title: 'most memory of the relay', unit: 'MB', better: 'less' },
  { id: 'others', title: 'other programs', unit: '% of the machine', better: 'less' },
]

const OUTCOMES: Readonly<Record<Outcome, Figure>> = {
  letIn: { id: 'letIn', title: 'logins granted', unit: '', better: 'less' },
  opened: { id: 'opened', title: 'connections opened', unit: '', better: 'less' },
  failed: { id: 'failed', title: 'attempts refused', unit: '', better: 'more' },
  answered: { id: 'answered', title: 'answers per second', unit: '/s', better: 'more' },
  backlogSeconds: { id: 'backlogSeconds', title: 'busy after all have closed', unit: 's', better: 'less' },
}

export function figuresOf({ outcome }: Flood): readonly Figure[] {
  return [...PAIR, ...COST, ...(outcome === undefined ? [] : [OUTCOMES[outcome]])]
}

/** Where attackers find a relay that does not run yet. */
export function futureRelay(identity: Identity): Pick<BenchRelay, 'url' | 'caFile' | 'pid'> {
  return { url: 'https://localhost:1/derp', caFile: identity.caFile, pid: 0 }
}
