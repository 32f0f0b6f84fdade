import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

interface Workflow {
  readonly permissions: object
  readonly jobs: {
    readonly release: {
      readonly permissions: Readonly<Record<string, string>>
      readonly steps: readonly { readonly uses?: string; readonly run?: string }[]
    }
  }
}

const text = readFileSync('.github/workflows/release.yml', 'utf8')
const { permissions, jobs }: Workflow = parse(text)
const { release } = jobs
const { scripts }: { scripts: Record<string, string> } = JSON.parse(readFileSync('package.json', 'utf8'))
const runs = release.steps.flatMap(({ run }) => run ?? [])

test('the release workflow holds no secret, has only the rights it needs, and uses nobody else’s actions', () => {
  expect(text).not.toMatch(/secrets\.|NPM_TOKEN/)
  expect([permissions, release.permissions]).toEqual([{}, { contents: 'write', 'id-token': 'write' }])
  for (const { uses = 'actions/' } of release.steps) expect(uses).toMatch(/^actions\//)
})

test('it runs what this repository has, publishes with provenance, and checks before it publishes', () => {
  const named = runs.flatMap(run => [...run.matchAll(/npm run (\S+)/g)].map(([, script]) => script ?? ''))
  expect(named).toEqual(['release:check'])
  for (const script of named) expect(Object.keys(scripts)).toContain(script)
  expect(existsSync('.ci/run')).toBe(true)
  const at = (pattern: RegExp) => runs.findIndex(run => pattern.test(run))
  expect(at(/npm@11 -- publish .*--provenance/)).toBeGreaterThan(at(/release:check/))
  expect(at(/release:check/)).toBeGreaterThan(at(/\.ci\/run/))
})
