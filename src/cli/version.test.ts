import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { RUNTIME_TITLE } from '../lib/runtime.ts'
import { programVersion, versionLine } from './version.ts'

test('the version from source names the commit of the checkout, wherever it is started', () => {
  const commit = execFileSync('git', ['log', '-1', '--format=%H'], { encoding: 'utf8' })
  const [, named = 'none'] = /-g([0-9a-f]{9,})$/.exec(programVersion()) ?? []
  expect(commit).toMatch(new RegExp(`^${named}`))
  expect(versionLine()).toBe(`${manifest.version}-g${named} on ${RUNTIME_TITLE}`)
})
