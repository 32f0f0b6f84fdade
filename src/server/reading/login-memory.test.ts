import { expect, test } from 'vitest'
import { type LoginHolder, LoginMemory } from './login-memory.ts'

function logins(memory: LoginMemory, bytes: Readonly<Record<string, number>>) {
  const ended: string[] = []
  const holders = Object.entries(bytes).map(([name, size]) => {
    const login: LoginHolder = { onOverflow: () => void ended.push(name) }
    memory.note(login, size)
    return login
  })
  return { ended, holders }
}

test('LoginMemory ends the logins that hold most, the oldest first, until nine tenths remain (P-113)', () => {
  const memory = new LoginMemory(100_000)
  const { ended } = logins(memory, { small: 10_000, old: 40_000, young: 40_000, last: 20_000 })
  expect([ended, memory.bytes]).toEqual([['old'], 70_000])
})

test('LoginMemory counts what a login holds now, and nothing of ordinary and ended ones (P-113)', () => {
  const memory = new LoginMemory(100_000)
  const { ended, holders } = logins(memory, { ordinary: 4_096, long: 50_000, ending: 30_000 })
  const [, long, ending] = holders as [LoginHolder, LoginHolder, LoginHolder]
  memory.note(long, 60_000)
  expect(memory.bytes).toBe(90_000)
  memory.forget(ending)
  memory.note(long, 300)
  expect([memory.bytes, ended]).toEqual([0, []])
})

test('LoginMemory ends nobody up to its bound, and beyond it no more than needed (P-113)', () => {
  const full = new LoginMemory(100_000)
  expect(logins(full, { one: 50_000, other: 50_000 }).ended).toEqual([])
  const beyond = new LoginMemory(100_000)
  expect(logins(beyond, { a: 30_000, b: 30_000, c: 30_000, d: 30_000 }).ended).toEqual(['a'])
  expect(beyond.bytes).toBe(90_000)
})
