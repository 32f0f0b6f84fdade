/** A scenario of the benchmark: its contenders, and what is measured of a relay. */

import type { BenchRelay, Carriage, ContenderId } from './contender.ts'
import type { LoadCommand } from './load-program.ts'
import type { Joining } from './two-relays.ts'

/** A measured quantity. */
export interface Figure {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly better: 'less' | 'more'
}

/** Passed to every scenario. */
export interface Bench {
  /** The generator with stock clients. */
  readonly load: LoadCommand
  /** The generator with our client. */
  readonly ourLoad: LoadCommand
  /** Length of the measured window in seconds. */
  readonly seconds: number
  /** Packets per second of half load, the same for all relays. */
  halfLoad(carriage: Carriage): Promise<number>
  note(text: string): void
}

/** Values of one measurement by figure. */
export type Values = Readonly<Record<string, number>>

export interface Scenario {
  readonly id: string
  readonly title: string
  readonly carriage: Carriage
  /** There are two relays of the contender, joined so. */
  readonly joining?: Joining
  readonly figures: readonly Figure[]
  /** Default: all except those with two workers. */
  readonly contenders?: readonly ContenderId[]
  /** For slow measurements that vary little. */
  readonly maxRounds?: number
  /** Default length of the measured window; 2 if not set. */
  readonly seconds?: number
  measure(relay: BenchRelay, bench: Bench): Promise<Values>
}

/** CPU use of other programs in percent: large values invalidate a measurement. */
export const OTHERS: Figure = { id: 'others', title: 'other programs', unit: '% of the machine', better: 'less' }
