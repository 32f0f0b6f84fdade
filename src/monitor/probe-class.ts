/** What a probe does: one function, its labels, and how long it may take. */

import type { Slots } from '../lib/slots.ts'
import type { Histogram } from '../metrics/histogram.ts'

/** Labels of a probe's metrics, by name. */
export type Labels = Readonly<Record<string, string>>

/** What a probe function is given for one run. */
export interface ProbeContext {
  /** Aborted when the time is up or the probe is removed. */
  readonly signal: AbortSignal
  /** Whether this is the only run. A continuous probe then has to end by itself. */
  readonly isOnce: boolean
  /** Notes what the run waits for, so that a timeout can name it. */
  readonly step: (text: string) => void
}

/** A metric of a kind of probe, besides those that every probe has. */
export type ProbeMetric =
  | { readonly name: string; readonly help: string; readonly type: 'counter' | 'gauge'; readonly value: number }
  | { readonly name: string; readonly help: string; readonly type: 'histogram'; readonly value: Histogram }

export interface ProbeClass {
  /** Name of the kind, for the label `class`. */
  readonly class: string
  readonly labels?: Labels | undefined
  /** Probes once; throws on failure. Resolves to remarks that do not make it one. */
  readonly probe: (context: ProbeContext) => Promise<readonly string[]>
  /** Limits how many of these probes run at a time; entered before the time of a run begins. */
  readonly slots?: Slots | undefined
  readonly metrics?: (() => readonly ProbeMetric[]) | undefined
}
