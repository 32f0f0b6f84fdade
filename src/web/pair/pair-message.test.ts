import { expect, test } from 'vitest'
import { NodePrivateKey } from '../../keys/node-key.ts'
import { formatInvitation, parseInvitation } from './invitation.ts'
import { decodeMessage, encodeMessage, type PairMessage } from './pair-message.ts'

const MESSAGES: readonly PairMessage[] = [
  { type: 'hello', secret: Uint8Array.of(1, 2) },
  { type: 'welcome' },
  { type: 'chat', text: 'grüße' },
  { type: 'offer', id: 7, size: 5_000_000_000, name: 'ä.txt' },
  { type: 'part', id: 7, at: 32_768, data: Uint8Array.of(0, 255) },
  { type: 'got', id: 7, bytes: 65_536 },
  { type: 'hash', id: 7, hash: new Uint8Array(32).fill(9) },
  { type: 'ping', atMs: 1_234.5 },
]

test.each(MESSAGES)('decodeMessage reads what encodeMessage writes: $type', message => {
  expect(decodeMessage(encodeMessage('guest', 9, message))).toEqual({ role: 'guest', number: 9, message })
})

test('decodeMessage is undefined for what is no message', () => {
  expect(decodeMessage(new Uint8Array(0))).toBeUndefined()
  expect(decodeMessage(Uint8Array.of(0, 0, 0, 0, 1, 99))).toBeUndefined()
  expect(decodeMessage(encodeMessage('host', 1, MESSAGES[5] ?? { type: 'welcome' }).subarray(0, 12))).toBeUndefined()
})

test('parseInvitation reads what formatInvitation writes, and nothing else', () => {
  const key = NodePrivateKey.generate().publicKey()
  const invitation = { key, secret: new Uint8Array(16).fill(171) }
  const read = parseInvitation(formatInvitation(invitation))
  expect([String(read?.key), read?.secret]).toEqual([String(key), invitation.secret])
  expect(parseInvitation('')).toBeUndefined()
  expect(parseInvitation('#abc')).toBeUndefined()
})
