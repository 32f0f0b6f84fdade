import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { environmentName, readFlags, unknownVariables } from './flag-sources.ts'

const TABLE = {
  a: { kind: 'string', default: ':443', help: '' },
  config: { kind: 'string', default: '', help: '' },
  stun: { kind: 'bool', default: 'true', help: '' },
  'stun-port': { kind: 'int', default: '3478', help: '' },
  timeout: { kind: 'duration', default: '2s', help: '' },
  token: { kind: 'string', default: '', help: '', secret: true },
  limit: { kind: 'float', default: '+Inf', help: '' },
  ace: { kind: 'bool', default: 'false', help: '', refused: 'remove it' },
} as const

let directory: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'flag-sources-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const file = (text: string): string => {
  const path = join(directory, 'file')
  writeFileSync(path, text)
  return path
}
const read = (args: string[], env: NodeJS.ProcessEnv = {}) => readFlags('derper', TABLE, { args, env })

test('readFlags prefers the command line, then the environment, then the file, then the default', async () => {
  const config = file('{"a": ":1", "stun": false, "stun-port": 1, "timeout": "1m"}')
  const env = { DERPER_CONFIG: config, DERPER_STUN_PORT: '2', DERPER_A: ':2' }
  const { values, given } = await read(['-a', ':3'], env)
  expect(values).toMatchObject({ a: ':3', config, stun: false, 'stun-port': 2, timeout: 60_000, token: '' })
  expect([...given].sort()).toEqual(['a', 'config', 'stun', 'stun-port', 'timeout'])
})

test('readFlags reads only secrets from a file named by a variable', async () => {
  expect((await read([], { DERPER_TOKEN_FILE: file(' secret\n') })).values.token).toBe('secret')
  expect((await read([], { DERPER_A_FILE: file(':1') })).values.a).toBe(':443')
})

test('environmentName is command and flag in capitals', () => {
  expect(environmentName('derper', 'stun-port')).toBe('DERPER_STUN_PORT')
})

test.each([
  ['[]', 'not a JSON object'],
  ['{"stun-prot": 1}', 'key "stun-prot" is not a flag'],
  ['{"config": "x"}', 'key "config" cannot be set in the file that it names; remove it'],
  ['{"timeout": 5}', 'key "timeout" is 5, not a string such as "5s"'],
  ['{"stun": "false"}', 'key "stun" is "false", not a boolean'],
  ['{"stun-port": 1.5}', 'set flag -stun-port to "1.5": not a whole number'],
  ['{"limit": "+Inf"}', 'key "limit" is "+Inf", not a number'],
  ['{"ace": false}', 'read flag -ace: remove it'],
  [
    '{',
    /: not JSON \(.+\); write the flags as one object, such as \{"hostname": "relay\.example"\}; "jq \. .*\/file" shows the line$/,
  ],
])('readFlags refuses the configuration file %s and says why', async (text, reason) => {
  const path = file(text)
  await expect(read(['-config', path])).rejects.toThrow(`read configuration file ${path}: `)
  await expect(read(['-config', path])).rejects.toThrow(reason)
})

test('readFlags names the invalid variable', async () => {
  await expect(read([], { DERPER_STUN: 'maybe' })).rejects.toThrow('read DERPER_STUN: set flag -stun to "maybe"')
  await expect(read([], { DERPER_ACE: 'false' })).rejects.toThrow('read DERPER_ACE: read flag -ace: remove it')
  await expect(read([], { DERPER_TOKEN_FILE: '/nowhere/token' })).rejects.toThrow(
    'read DERPER_TOKEN_FILE: no such file; name a readable file',
  )
})

test('readFlags returns defaults with -help', async () => {
  expect(await read(['-help'])).toMatchObject({ help: true, values: { stun: true, timeout: 2_000 } })
})

test('unknownVariables finds misspelt variables, and ignores those of Kubernetes', () => {
  const known = { DERPER_STUN_PORT: '1', DERPER_TOKEN: 'x', DERPER_TOKEN_FILE: 'x' }
  const services = {
    DERPER_PORT: 'tcp://1',
    DERPER_SERVICE_HOST: 'h',
    DERPER_SERVICE_PORT_HTTPS: '1',
    DERPER_PORT_443_TCP: 'x',
  }
  const env = { ...known, ...services, HOME: '/', DERPERS: 'x', DERPER_STUN_PROT: '1', DERPER_A_FILE: 'x' }
  expect(unknownVariables('derper', TABLE, env)).toEqual(['DERPER_A_FILE', 'DERPER_STUN_PROT'])
})
