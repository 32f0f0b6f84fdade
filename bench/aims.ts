/** Target ratios, and how a run compares. */

import type { ContenderId } from './contender.ts'
import type { Results } from './results.ts'
import { ratioSpread, type Spread } from './statistics.ts'

/** A target ratio of two relays for one figure of one scenario. */
export interface Aim {
  readonly title: string
  readonly scenario: string
  readonly figure: string
  readonly of: ContenderId
  readonly to: ContenderId
  readonly aim: number
  readonly atLeast: number
}

export interface AimResult {
  readonly aim: Aim
  /** Undefined if the run has not measured it. */
  readonly measured: Spread | undefined
  readonly verdict: Verdict
}

export type Verdict = 'aim reached' | 'at least' | 'missed' | 'not measured'

const toStock = { of: 'ours', to: 'stock' } as const

export const AIMS: readonly Aim[] = [
  {
    title: 'CPU per packet, plain, 1280 B, 20 pairs',
    scenario: 'cpu-plain-1280-20',
    figure: 'cpu',
    ...toStock,
    aim: 0.3,
    atLeast: 0.45,
  },
  {
    title: 'CPU per packet, plain, 64 B',
    scenario: 'cpu-plain-64-20',
    figure: 'cpu',
    ...toStock,
    aim: 0.5,
    atLeast: 0.7,
  },
  {
    title: 'CPU per packet, TLS, 1280 B',
    scenario: 'cpu-tls-1280-20',
    figure: 'cpu',
    ...toStock,
    aim: 0.5,
    atLeast: 0.8,
  },
  {
    title: 'CPU per packet, TLS, 64 B',
    scenario: 'cpu-tls-64-20',
    figure: 'cpu',
    ...toStock,
    aim: 0.75,
    atLeast: 1.15,
  },
  {
    title: 'latency p99 at half load, TLS',
    scenario: 'latency-half-tls',
    figure: 'p99',
    ...toStock,
    aim: 0.8,
    atLeast: 1.1,
  },
  { title: 'CPU per TLS login', scenario: 'login-tls', figure: 'cpu', ...toStock, aim: 0.6, atLeast: 0.95 },
  {
    title: 'memory per idle TLS connection',
    scenario: 'memory-tls-5000',
    figure: 'rss',
    ...toStock,
    aim: 0.5,
    atLeast: 0.9,
  },
  {
    title: 'CPU per packet of two mesh peers, TLS, 1280 B',
    scenario: 'mesh-1280-20',
    figure: 'cpu',
    ...toStock,
    aim: 0.5,
    atLeast: 0.65,
  },
  {
    title: 'two workers, CPU per packet against one worker',
    scenario: 'workers-plain-1280-20',
    figure: 'cpu',
    of: 'ours-2-workers',
    to: 'ours',
    aim: 1.15,
    atLeast: 1.4,
  },
]

export function judge(results: Results): readonly AimResult[] {
  return AIMS.map(aim => {
    const measured = measuredRatio(results, aim)
    return { aim, measured, verdict: verdictOf(aim, measured) }
  })
}

function measuredRatio(results: Results, { scenario, figure, of, to }: Aim): Spread | undefined {
  const found = results.scenarios.find(({ id }) => id === scenario)?.figures.find(({ id }) => id === figure)
  return ratioSpread(found?.values[of] ?? [], found?.values[to] ?? [])
}

function verdictOf({ aim, atLeast }: Aim, measured: Spread | undefined): Verdict {
  if (measured === undefined) return 'not measured'
  if (measured.median <= aim) return 'aim reached'
  return measured.median <= atLeast ? 'at least' : 'missed'
}
