import { expect, test } from 'vitest'
import { NodePrivateKey, NodePublicKey } from '../../src/keys/node-key.ts'
import { hex, readGolden } from '../support/golden.ts'

const golden = readGolden('keys')

test.each(golden.pairs)(
  'NodePrivateKey and its public key have the original’s text form: $name (P-020, P-021)',
  pair => {
    const privateKey = NodePrivateKey.parse(pair.privateKey)
    expect(privateKey.exportText()).toBe(pair.privateKey)
    expect(hex(privateKey.exportBytes())).toBe(pair.privateHex)
    expect(NodePrivateKey.parse(pair.privateHex).equals(privateKey)).toBe(true)
    const publicKey = privateKey.publicKey()
    expect([publicKey.toString(), publicKey.toHex(), publicKey.shortString()]).toEqual([
      pair.public.text,
      pair.public.hex,
      pair.public.short,
    ])
  },
)

test.each(golden.public)('NodePublicKey reads and writes $text (P-021)', ({ text, hex: digits, short }) => {
  for (const key of [NodePublicKey.parse(text), NodePublicKey.parse(digits)]) {
    expect([key.toString(), key.toHex(), key.shortString()]).toEqual([text, digits, short])
  }
})

// Our one parser accepts what two parsers of the original do: with prefix, and digits alone.
const accepted = new Map(golden.parse.map(({ form, text, hex: digits }) => [`${form}|${text}`, digits]))

test.each(golden.parse)('parsing $form accepts and rejects like the original: $name (P-021)', ({ form, text }) => {
  const kind = form.replace('Hex', '')
  const expected = accepted.get(`${kind}|${text}`) ?? accepted.get(`${kind}Hex|${text}`)
  let read: string | undefined
  try {
    read = kind === 'nodePublic' ? NodePublicKey.parse(text).toHex() : hex(NodePrivateKey.parse(text).exportBytes())
  } catch (error) {
    expect(error).toMatchObject({ code: 'ERR_DERP_KEY_INVALID', clause: 'P-021' })
  }
  expect(read).toBe(expected)
})
