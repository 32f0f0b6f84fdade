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

const TO_NEWEST = { of: 'ours-bun', to: 'newest' } as const
const TO_STOCK = { of: 'ours-bun', to: 'stock' } as const
const TWO_WORKERS_TO_ONE = { of: 'ours-bun-2-workers', to: 'ours-bun' } as const

export const AIMS: readonly Aim[] = [
  {
    title: 'CPU per packet, TLS, 1280 B, 20 pairs',
    scenario: 'cpu-tls-1280-20',
    figure: 'cpu',
    ...TO_NEWEST,
    aim: 0.45,
    atLeast: 0.72,
  },
  {
    title: 'CPU per packet, TLS, 64 B, 20 pairs',
    scenario: 'cpu-tls-64-20',
    figure: 'cpu',
    ...TO_NEWEST,
    aim: 0.5,
    atLeast: 0.8,
  },
  {
    title: 'CPU per packet, plain, 1280 B, 20 pairs',
    scenario: 'cpu-plain-1280-20',
    figure: 'cpu',
    ...TO_NEWEST,
    aim: 0.5,
    atLeast: 0.7,
  },
  {
    title: 'CPU per packet, plain, 64 B, 20 pairs',
    scenario: 'cpu-plain-64-20',
    figure: 'cpu',
    ...TO_NEWEST,
    aim: 0.45,
    atLeast: 0.8,
  },
  {
    title: 'CPU per TLS login',
    scenario: 'login-tls',
    figure: 'cpu',
    ...TO_NEWEST,
    aim: 0.55,
    atLeast: 0.85,
  },
  {
    title: 'memory per idle TLS connection',
    scenario: 'memory-tls-4000',
    figure: 'rss',
    ...TO_NEWEST,
    aim: 0.45,
    atLeast: 0.72,
  },
  {
    title: 'latency p99 of a pair in a storm of TLS logins',
    scenario: 'storm-tls',
    figure: 'stormP99',
    ...TO_STOCK,
    aim: 0.6,
    atLeast: 1.0,
  },
  {
    title: 'CPU per packet of two mesh peers, TLS, 1280 B',
    scenario: 'mesh-1280-20',
    figure: 'cpu',
    ...TO_STOCK,
    aim: 0.5,
    atLeast: 0.65,
  },
  {
    title: 'CPU per packet in a region of two, TLS, 1280 B',
    scenario: 'region-1280-20',
    figure: 'cpu',
    ...TO_STOCK,
    aim: 0.5,
    atLeast: 0.65,
  },
  {
    title: 'CPU per packet with two workers, plain, 1280 B',
    scenario: 'workers-plain-1280-20',
    figure: 'cpu',
    ...TWO_WORKERS_TO_ONE,
    aim: 1.15,
    atLeast: 1.35,
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
