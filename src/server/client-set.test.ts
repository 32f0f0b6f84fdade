import { expect, test } from 'vitest'
import { ClientSet } from './client-set.ts'

test('ClientSet makes the newest connection active (P-065)', () => {
  const set = new ClientSet<string>()
  set.add('a')
  expect([set.active, set.isDuplicate]).toEqual(['a', false])
  set.add('b')
  expect([set.active, set.isDuplicate]).toEqual(['b', true])
})

test('ClientSet makes the last sender active (P-065)', () => {
  const set = new ClientSet<string>()
  for (const member of ['a', 'b', 'c']) set.add(member)
  set.noteActivity('a')
  expect(set.active).toBe('a')
  set.noteActivity('b')
  expect(set.active).toBe('b')
  set.noteActivity('stranger')
  expect(set.active).toBe('b')
})

test('ClientSet promotes the first of three silent members when the newest leaves (P-066)', () => {
  const set = new ClientSet<string>()
  for (const member of ['a', 'b', 'c']) set.add(member)
  set.remove('c')
  expect(set.active).toBe('a')
})

test('ClientSet promotes the previous sender (P-066)', () => {
  const set = new ClientSet<string>()
  for (const member of ['a', 'b', 'c']) set.add(member)
  for (const member of ['a', 'b', 'c']) set.noteActivity(member)
  set.remove('c')
  expect(set.active).toBe('b')
  set.remove('b')
  expect([set.active, set.isDuplicate]).toEqual(['a', false])
})

test('ClientSet keeps the active member when a silent one leaves, and reports whether it was a member (P-066)', () => {
  const set = new ClientSet<string>()
  for (const member of ['a', 'b', 'c']) set.add(member)
  expect(set.remove('a')).toBe(true)
  expect(set.active).toBe('c')
  expect(set.remove('a')).toBe(false)
  set.remove('b')
  set.remove('c')
  expect([set.active, set.size]).toEqual([undefined, 0])
})

test('ClientSet promotes the third of four silent members when the last leaves (P-066)', () => {
  const set = new ClientSet<string>()
  for (const member of ['a', 'b', 'c', 'd']) set.add(member)
  set.remove('d')
  expect(set.active).toBe('c')
  set.remove('c')
  expect(set.active).toBe('a')
})

test('ClientSet goes by each member’s last frame, not its first (P-066)', () => {
  const set = new ClientSet<string>()
  for (const member of ['a', 'b', 'c']) set.add(member)
  for (const member of ['a', 'b', 'a', 'c']) set.noteActivity(member)
  set.remove('c')
  expect(set.active).toBe('a')
})

test('ClientSet lists its members in the order in which they joined', () => {
  const set = new ClientSet<string>()
  expect([...set.members]).toEqual([])
  for (const member of ['a', 'b', 'c']) {
    set.add(member)
    expect([...set.members].at(-1)).toBe(member)
  }
  set.noteActivity('a')
  expect([...set.members]).toEqual(['a', 'b', 'c'])
})

test('ClientSet knows the latest: the active member, once it has shown activity (P-065)', () => {
  const set = new ClientSet<string>()
  const latest = () => ['a', 'b'].filter(member => set.isLatest(member))
  for (const member of ['a', 'b']) set.add(member)
  expect([set.active, latest()]).toEqual(['b', []])
  set.noteActivity('b')
  expect(latest()).toEqual(['b'])
  set.noteActivity('a')
  expect(latest()).toEqual(['a'])
})

test('ClientSet keeps its only member when a stranger leaves', () => {
  const set = new ClientSet<string>()
  set.add('a')
  expect([set.remove('b'), set.active, set.size]).toEqual([false, 'a', 1])
})
