import { expect, test } from 'vitest'
import { NodePrivateKey, NodePublicKey } from '../../src/keys/node-key.ts'
import { openBox, precompute, sealBox } from '../../src/keys/secretbox.ts'
import { AGREEMENTS } from '../support/agreements.ts'
import { fromHex, hex, readGolden } from '../support/golden.ts'

const golden = readGolden('box')
const ZEROS = '00'.repeat(32)

test('the vectors contain key pairs with and without a shared key, boxes and rejections', () => {
  const zero = golden.pairs.filter(pair => pair.sharedHex === ZEROS)
  expect([golden.pairs.length - zero.length, zero.length]).toEqual([5, 1])
  expect(golden.pairs.every(pair => pair.boxes.length >= 2)).toBe(true)
  expect(golden.refused.length).toBe(11)
})

test.each(golden.pairs)('sealBox and openBox match nacl/box: $name (P-022)', pair => {
  const key = precompute(fromHex(pair.sharedHex))
  expect(hex(key)).toBe(pair.precomputedHex)
  for (const { nonceHex, plainHex, wireHex } of pair.boxes) {
    expect(hex(sealBox(key, fromHex(plainHex), fromHex(nonceHex)))).toBe(wireHex)
    expect(hex(openBox(key, fromHex(wireHex)) ?? new Uint8Array(1))).toBe(plainHex)
    // Sockets deliver views of larger buffers.
    const view = Buffer.from(`ffff${wireHex}ff`, 'hex').subarray(2, 2 + wireHex.length / 2)
    expect(hex(openBox(key, view) ?? new Uint8Array(1))).toBe(plainHex)
  }
})

test.each(AGREEMENTS)(
  '%s agreement matches nacl/box, and rejects low-order points (P-020, P-022)',
  async (_, agreement) => {
    for (const pair of golden.pairs) {
      const own = NodePrivateKey.parse(pair.privateKey)
      const agreed = agreement.agree(own, NodePublicKey.parse(pair.peerPublicKey))
      if (pair.sharedHex === ZEROS) await expect(agreed).rejects.toMatchObject({ code: 'ERR_DERP_KEY_INVALID' })
      else expect(hex(await agreed)).toBe(pair.precomputedHex)
    }
  },
)

test.each(golden.refused)('openBox refuses what nacl/box refuses: $name (P-022)', async box => {
  const own = NodePrivateKey.parse(box.privateKey)
  for (const [, agreement] of AGREEMENTS) {
    const key = await agreement.agree(own, NodePublicKey.parse(box.peerPublicKey))
    expect(openBox(key, fromHex(box.wireHex))).toBeUndefined()
  }
})
