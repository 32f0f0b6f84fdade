import { expect, test } from 'vitest'
import type { PeerCertificate } from '../ports.ts'
import { type TlsSession, TlsSessions } from './tls-sessions.ts'

const sessionUntil = (validToMs: number): TlsSession => ({
  ticket: Uint8Array.of(1),
  certificates: [{ validToDate: new Date(validToMs) } as PeerCertificate],
  serverKey: undefined,
})

test('TlsSessions return the newest session of a key, any number of times', () => {
  const sessions = new TlsSessions()
  const [older, newer] = [sessionUntil(10), sessionUntil(20)]
  sessions.put('a', older)
  sessions.put('a', newer)
  expect(sessions.get('b', 0)).toBeUndefined()
  expect([sessions.get('a', 0), sessions.get('a', 0)]).toEqual([newer, newer])
  expect(sessions.size).toBe(1)
})

test('TlsSessions return no session without a certificate or with an expired one', () => {
  const sessions = new TlsSessions()
  const session = sessionUntil(10)
  sessions.put('a', session)
  expect(sessions.get('a', 10)).toBe(session)
  expect(sessions.get('a', 11)).toBeUndefined()
  expect(sessions.size).toBe(0)
  sessions.put('a', { ...session, certificates: [] })
  expect(sessions.get('a', 0)).toBeUndefined()
})

test('TlsSessions can be cleared', () => {
  const sessions = new TlsSessions()
  for (const key of ['a', 'b', 'c']) sessions.put(key, sessionUntil(10))
  sessions.forget('a')
  expect(sessions.get('a', 0)).toBeUndefined()
  sessions.clear()
  expect(sessions.size).toBe(0)
})

test('TlsSessions keep the newest 32', () => {
  const sessions = new TlsSessions()
  for (let i = 0; i < 40; i++) sessions.put(`${i}`, sessionUntil(10))
  sessions.put('8', sessionUntil(10))
  sessions.put('40', sessionUntil(10))
  expect(sessions.size).toBe(32)
  expect([sessions.get('8', 0), sessions.get('9', 0)]).toEqual([sessionUntil(10), undefined])
})
