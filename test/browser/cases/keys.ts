/** Keys, whatever computes the curve. */

import { NodePrivateKey, NodePublicKey } from '../../../src/entries/browser.ts'
import { assert, assertSame, type ClientCase, rejectionOf } from './case.ts'

// RFC 7748 section 6.1.
const SECRET = '77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'
const PUBLIC = '8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a'

export const KEYS: readonly ClientCase[] = [
  {
    name: 'a private key has the public key of RFC 7748, and shows nothing by accident (P-020, P-021)',
    async run() {
      const key = await NodePrivateKey.parse(`privkey:${SECRET}`)
      assertSame(key.publicKey().toHex(), PUBLIC, 'the public key')
      assert(NodePublicKey.parse(`nodekey:${PUBLIC}`).equals(key.publicKey()), 'a public key equals its text')
      assertSame([String(key), JSON.stringify(key)], ['privkey:[redacted]', '"privkey:[redacted]"'], 'as text')
      assertSame(key.exportText(), `privkey:${SECRET}`, 'exported')
    },
  },
  {
    name: 'fresh keys differ, what is no key is refused (P-021)',
    async run() {
      const keys = await Promise.all(Array.from({ length: 20 }, () => NodePrivateKey.generate()))
      assertSame(new Set(keys.map(key => key.publicKey().toHex())).size, 20, 'different keys')
      assertSame((await rejectionOf(NodePrivateKey.parse('privkey:12'))).code, 'ERR_DERP_KEY_INVALID', 'code')
    },
  },
]
