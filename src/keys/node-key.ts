/** Node keys on platforms with a synchronous X25519, which compute the public half at once (P-020, P-021). */

import { defineInspect } from './inspect.ts'
import { KeyError } from './key-error.ts'
import { copySecret, generateSecret, PrivateKey, parseSecret } from './private-key.ts'
import { NodePublicKey } from './public-key.ts'
import { x25519PublicKey } from './x25519.ts'

export { NodePublicKey }

// Not in the classes, which pages share: their consoles do not use it. Private fields never show.
defineInspect(NodePublicKey.prototype, key => `NodePublicKey(${key.toString()})`)
defineInspect(PrivateKey.prototype, key => `NodePrivateKey(${key.toString()})`)

/**
 * A private key. Immutable; the bytes are in a private field and never show by accident.
 *
 * @example
 * ```ts
 * const key = NodePrivateKey.generate()
 * console.log(`${key.publicKey()}`) // nodekey:…
 * const saved = key.exportText() // privkey:…, a secret
 * const same = NodePrivateKey.parse(saved)
 * ```
 */
export class NodePrivateKey extends PrivateKey {
  #publicKey: NodePublicKey | undefined

  /** A random key, clamped as NaCl box requires. */
  static generate(): NodePrivateKey {
    return new NodePrivateKey(generateSecret())
  }

  /** Copies exactly 32 bytes unchanged, without clamping. @throws KeyError for another length. */
  static fromBytes(bytes: Uint8Array): NodePrivateKey {
    return new NodePrivateKey(copySecret(bytes))
  }

  /** Parses `privkey:` and 64 hex digits, or the digits alone, without clamping. @throws KeyError */
  static parse(text: string): NodePrivateKey {
    return new NodePrivateKey(parseSecret(text))
  }

  /** The public key, computed once. @throws KeyError for the all-zero key. */
  publicKey(): NodePublicKey {
    if (this.#publicKey === undefined) {
      if (this.isZero()) throw new KeyError('derive node public key: private key is all zero', { clause: 'P-020' })
      const secret = this.exportBytes()
      this.#publicKey = NodePublicKey.fromBytes(x25519PublicKey(secret))
      secret.fill(0)
    }
    return this.#publicKey
  }
}
