import { expect, test } from 'vitest'
import { newestVersions } from './tools.ts'

test('go.mod names the newest release and the Go that builds it', () => {
  const goMod =
    'module m\n\ngo 1.27.4\n\nrequire tailscale.com v1.104.7\n\nrequire (\n\tgo4.org/mem v0.0.1 // indirect\n)\n'
  expect(newestVersions(goMod)).toEqual({ version: 'v1.104.7', go: '1.27.4' })
  expect(() => newestVersions('module m\n\ngo 1.27.4\n')).toThrow('read go.mod of the newest relay')
})
