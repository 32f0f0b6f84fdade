import { expect, test } from 'vitest'
import { parseFlags } from './go-flags.ts'

const TABLE = {
  a: { kind: 'string', default: ':443', help: '' },
  stun: { kind: 'bool', default: 'true', help: '' },
  'http-port': { kind: 'int', default: '80', help: '' },
  limit: { kind: 'float', default: '+Inf', help: '' },
  ace: { kind: 'bool', default: 'false', help: '', refused: 'for others only; remove it' },
  timeout: { kind: 'duration', default: '2s', help: '' },
} as const

const values = (...args: string[]) => {
  const parsed = parseFlags(TABLE, args)
  return parsed.help ? 'help' : parsed.values
}

test("parseFlags returns defaults, and values in all of Go's notations", () => {
  expect(values()).toEqual({ a: ':443', stun: true, 'http-port': 80, limit: Infinity, ace: false, timeout: 2000 })
  expect(values('-a', ':3340', '-stun=false')).toMatchObject({ a: ':3340', stun: false })
  expect(values('--a=:1=2', '--stun')).toMatchObject({ a: ':1=2', stun: true })
  expect(values('-http-port', '-1')).toMatchObject({ 'http-port': -1 })
  expect(values('-timeout', '-1s', '-a', '-b')).toMatchObject({ timeout: -1_000, a: '-b' })
  expect(values('-timeout', '1m30s', '-a', 'x', '-a', 'y')).toMatchObject({ timeout: 90_000, a: 'y' })
})

test('parseFlags reads numbers like Go', () => {
  for (const [text, limit] of [
    ['1', 1],
    ['-.5', -0.5],
    ['1e3', 1_000],
    ['Inf', Infinity],
    ['-infinity', -Infinity],
  ] as const)
    expect(values('-limit', text)).toMatchObject({ limit })
  expect(values('-http-port', '+9223372036854775807')).toMatchObject({ 'http-port': 2 ** 63 })
})

test("parseFlags reads all of Go's words for true and false", () => {
  for (const word of ['1', 't', 'T', 'true', 'TRUE', 'True'])
    expect(values(`-stun=${word}`)).toMatchObject({ stun: true })
  for (const word of ['0', 'f', 'F', 'false', 'FALSE', 'False'])
    expect(values(`-stun=${word}`)).toMatchObject({ stun: false })
})

test('parseFlags returns which flags were given, and whether help was', () => {
  const parsed = parseFlags(TABLE, ['-a', 'x'])
  expect(parsed.help ? [] : [...parsed.given]).toEqual(['a'])
  for (const word of ['-h', '-help', '--help']) expect(values(word)).toBe('help')
})

test('parseFlags refuses unknown flags and invalid values with flag, value and reason', () => {
  const message = (...args: string[]) => {
    try {
      values(...args)
    } catch (error) {
      return (error as Error).message
    }
    return 'no error'
  }
  expect(message('-b=1')).toBe('read flag -b: no such flag; -help lists them')
  expect(message('-httpport=1')).toBe('read flag -httpport: no such flag; did you mean -http-port?')
  for (const name of ['_', '__proto__', '$0']) expect(message(`-${name}`, '-a=1')).toContain(`-${name}: no such flag`)
  for (const arg of ['-=', '--=1', '---a=1']) {
    expect(message(arg, '-_=1')).toContain(`read argument "${arg}": not written as a flag`)
  }
  expect(message('-5')).toContain('read flag -5: no such flag')
  expect(message('run')).toBe('read argument "run": no such command or flag; -help lists them')
  expect(message('-stun=2')).toBe('set flag -stun to "2": not true or false')
  expect(message('-http-port=1.5')).toBe('set flag -http-port to "1.5": not a whole number')
  expect(message('-http-port=9223372036854775808')).toContain('not a whole number')
  expect(message('-limit=much')).toBe('set flag -limit to "much": not a number')
  expect(message('-limit=NaN')).toBe('set flag -limit to "NaN": not a number')
  expect(message('-a')).toBe('read flag -a: no value')
  expect(message('-ace')).toBe('read flag -ace: for others only; remove it')
  expect(message('-a=x\0')).toBe('set flag -a to "x\\0": not text without null bytes')
  expect(message('-timeout=5')).toBe('set flag -timeout to "5": not a duration such as 2s or 1m30s')
})
