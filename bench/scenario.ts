/** What a scenario of the benchmark is: who takes part, and what is measured of one relay. */

import type { BenchRelay, Carriage, ContenderId } from './contender.ts'
import type { LoadCommand } from './load-program.ts'

/** Something that is measured. */
export interface Figure {
  readonly id: string
  readonly title: string
  readonly unit: string
  readonly better: 'less' | 'more'
}

/** What every scenario can use. */
export interface Bench {
  /** The generator with stock clients. */
  readonly load: LoadCommand
  /** The generator with our client. */
  readonly ourLoad: LoadCommand
  /** Length of the measured window in seconds. */
  readonly seconds: number
  /** Packets per second at which relays are half loaded; the same for all of them. */
  halfLoad(carriage: Carriage): Promise<number>
  note(text: string): void
}

/** Values of one measurement by figure. */
export type Values = Readonly<Record<string, number>>

export interface Scenario {
  readonly id: string
  readonly title: string
  readonly carriage: Carriage
  /** The relay has a mesh peer; both are the same contender. */
  readonly isMesh?: boolean
  readonly figures: readonly Figure[]
  /** Default: all but ours with two workers. */
  readonly contenders?: readonly ContenderId[]
  /** For what takes long and varies little. */
  readonly maxRounds?: number
  /** Length of the measured window unless another was asked for; default 2. */
  readonly seconds?: number
  measure(relay: BenchRelay, bench: Bench): Promise<Values>
}

/** Share of the machine that other programs used, in per cent: large values spoil a measurement. */
export const OTHERS: Figure = { id: 'others', title: 'other programs', unit: '% of the machine', better: 'less' }
