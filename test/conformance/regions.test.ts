/** The suite for several relays, on a mesh of ours and on a region over NATS, each beside a stock relay. */

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasGo } from '../support/go-tools.ts'
import { REGION_CASES } from './region/index.ts'
import type { RegionCase, RegionKind, RegionTarget } from './region/region-case.ts'
import { type StartedRegion, startRegion } from './region/start-region.ts'
import { Target } from './target.ts'

const UNDERSTAND = join(import.meta.dirname, '../../docs/understand')
const KINDS: readonly RegionKind[] = hasGo ? ['mesh', 'nats'] : ['mesh']
const started = new Map<RegionKind, StartedRegion>()

beforeAll(async () => {
  await Promise.all(KINDS.map(async kind => started.set(kind, await startRegion(kind))))
})
afterAll(async () => {
  await Promise.all(Array.from(started.values(), region => region.stop()))
})

test('the suite has at least 60 cases with unique names, which cite clauses that exist', () => {
  const ids = REGION_CASES.map(({ id }) => id)
  expect(ids.length).toBeGreaterThanOrEqual(60)
  expect(new Set(ids).size).toBe(ids.length)
  const pages = globSync(['protocol/*.md', 'region.md'], { cwd: UNDERSTAND })
  const text = pages.map(page => readFileSync(join(UNDERSTAND, page), 'utf8')).join('\n')
  for (const { id, clauses } of REGION_CASES) {
    expect(clauses.length, id).toBeGreaterThan(0)
    for (const clause of clauses) expect(text, id).toContain(`### ${clause} `)
  }
})

const applicable = REGION_CASES.filter(({ needsStock }) => needsStock !== true || hasGo)

async function runCase(kind: RegionKind, one: RegionCase): Promise<void> {
  const region = started.get(kind)
  if (region === undefined) throw new Error(`run case ${one.id}: the ${kind} was not started`)
  const targets = region.targets.map(options => new Target(options))
  const [first, second, third, stock] = targets as [Target, Target, Target, Target]
  const target: RegionTarget = { kind, relays: [first, second, third], stock, restart: region.restart }
  try {
    await one.run(target)
  } finally {
    for (const each of targets) each.closeAll()
  }
}

const titleOf = ({ id, clauses }: RegionCase) => `${id} (${clauses.join(', ')})`

describe.concurrent('side by side', () => {
  for (const kind of KINDS) {
    describe.concurrent(kind, () => {
      for (const one of applicable) if (one.alone !== true) test(titleOf(one), () => runCase(kind, one))
    })
  }
})
describe(`one at a time, on ${KINDS.join(' and ')}`, () => {
  for (const one of applicable) {
    if (one.alone === true) test(titleOf(one), () => Promise.all(KINDS.map(kind => runCase(kind, one))))
  }
})
