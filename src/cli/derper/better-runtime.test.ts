import { expect, test } from 'vitest'
import { betterRuntime, type StartedOn } from './better-runtime.ts'

const SCRIPT = '/usr/lib/node_modules/derphttp/dist/bin/derper.js'
const onNode: StartedOn = { runtime: { name: 'node', version: '26.10.0' }, script: SCRIPT, chosen: undefined }
const onBun = (version: string): StartedOn => ({ ...onNode, runtime: { name: 'bun', version } })

test('betterRuntime on Node is Bun, with instructions', () => {
  expect(betterRuntime(onNode)).toMatchObject({ better: 'bun', fix: expect.stringContaining(`bun --bun ${SCRIPT}`) })
})

test.each(['1.4.5', '1.4.6', '1.5.0', '2.0.0', '1.10.1-canary.3'])('betterRuntime is silent on Bun %s', version => {
  expect(betterRuntime(onBun(version))).toBeUndefined()
})

test.each(['1.4.4', '1.3.20', '0.9.9'])('betterRuntime on Bun %s is Node, as this Bun is untested', version => {
  expect(betterRuntime(onBun(version))).toMatchObject({ better: 'node', reason: expect.stringContaining(version) })
})

test.each([
  ['a chosen runtime', { ...onNode, chosen: 'node' }],
  ['a chosen runtime that is old', { ...onBun('1.0.0'), chosen: 'bun' }],
  ['sources', { ...onNode, script: '/home/me/derphttp/src/bin/derper.ts' }],
  ['a program without a path', { ...onNode, script: undefined }],
])('betterRuntime is silent for %s', (_, started) => {
  expect(betterRuntime(started)).toBeUndefined()
})
