/** Text forms of keys. */

import { KeyError } from '../../src/keys/key-error.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey, NodePublicKey } from '../../src/keys/node-key.ts'
import { readGolden } from '../../test/support/golden.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { utf8 } from '../support/input-reader.ts'

const PREFIX = 'nodekey:'
const SHOWN_DIGITS = 8
/** Digits of lengths, which errors have too. */
const HARMLESS = 4

export const target: FuzzTarget = {
  about:
    'Any text as public, private and mesh key: only `KeyError`; what is accepted has 64 hex digits and reads the same when written; no secret shows in errors, strings, JSON or inspection.',
  seeds: seeds(),
  words: ['nodekey:', 'privkey:', 'meshkey:', '0123456789abcdef', 'F'.repeat(64), ' ', '\n'],
  maxBytes: 200,
  run: input => {
    const text = utf8(input)
    return [publicKey(text), privateKey(text), meshKey(text)].join('\n')
  },
}

function publicKey(text: string): string {
  // Of a public key, known by its prefix, the first digits are shown.
  const hidden = text.startsWith(PREFIX) ? text.slice(PREFIX.length + SHOWN_DIGITS) : text
  const key = orError(() => NodePublicKey.parse(text), hidden, SHOWN_DIGITS)
  if (typeof key === 'string') return key
  must(/^(?:nodekey:)?[0-9a-f]{64}$/i.test(text), 'a public key has a prefix, or none, and 64 digits')
  mustAgree('a public key written again', NodePublicKey.parse(`${key}`).toHex(), text.slice(-64).toLowerCase())
  mustAgree('a public key and its bytes', NodePublicKey.fromBytes(key.bytes).equals(key), true)
  return `${key}`
}

function privateKey(text: string): string {
  const key = orError(() => NodePrivateKey.parse(text), text)
  if (typeof key === 'string') return key
  must(/^(?:privkey:)?[0-9a-f]{64}$/i.test(text), 'a private key has a prefix, or none, and 64 digits')
  mustAgree('a private key written again', NodePrivateKey.parse(key.exportText()).equals(key), true)
  const digits = text.slice(-64).toLowerCase()
  const shown = `${key} ${JSON.stringify(key)} ${Object.entries(key).join()}`
  must(!shown.includes(digits), 'a private key does not show')
  return key.isZero() ? 'zero' : key.publicKey().toHex()
}

function meshKey(text: string): string {
  const key = orError(() => MeshKey.parse(text), text)
  if (typeof key === 'string') return key
  must(/^[0-9a-f]{64}$/.test(text.trim()), 'a mesh key has 64 digits')
  must(key.matches(text.trim()) && !key.matches(`${text.trim()}0`), 'a mesh key matches its own text only')
  must(!`${key} ${JSON.stringify(key)}`.includes(text.trim()), 'a mesh key does not show')
  return key.exportText()
}

/** The key, or that it is refused with nothing of the secret. */
function orError<T>(parse: () => T, secret: string, shown = HARMLESS): T | string {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof KeyError)) throw error
    for (const [digits] of secret.matchAll(/[0-9a-f]{9,}/gi)) {
      must(!error.message.includes(digits.slice(0, shown + 1)), 'an error shows no secret')
    }
    return 'refused'
  }
}

function seeds(): Uint8Array[] {
  const { pairs, public: shown, parse } = readGolden('keys')
  const texts = [
    ...pairs.map(({ privateKey }) => privateKey),
    ...shown.map(({ text }) => text),
    ...parse.map(({ text }) => text),
  ]
  return texts.map(text => Buffer.from(text))
}
