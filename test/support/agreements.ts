/** All key agreements, for tests that must hold for each (P-022). */

import type { KeyAgreement } from '../../src/keys/box.ts'
import { createNodeAgreement, importSpki, nodeAgreement } from '../../src/keys/node-box.ts'
import { createPortableAgreement, portableAgreement } from '../../src/keys/portable-box.ts'

export const AGREEMENTS: readonly (readonly [name: string, agreement: KeyAgreement])[] = [
  ['node', nodeAgreement],
  ['node with SPKI keys', createNodeAgreement(importSpki)],
  ['portable with WebCrypto', portableAgreement],
  ['portable without WebCrypto', createPortableAgreement(undefined)],
]
