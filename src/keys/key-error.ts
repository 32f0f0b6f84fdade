import { DerpError, type DerpErrorDetails } from '../lib/derp-error.ts'

/**
 * A key that cannot be parsed or used; its `code` is always `ERR_DERP_KEY_INVALID`.
 *
 * The message never contains any part of a private key or mesh key, nor text that might be one.
 *
 * @example
 * ```ts
 * try {
 *   NodePublicKey.parse('nodekey:short')
 * } catch (error) {
 *   if (error instanceof KeyError) console.log(error.message)
 * }
 * ```
 */
export class KeyError extends DerpError {
  /** @internal */
  constructor(message: string, details: DerpErrorDetails = {}) {
    super('ERR_DERP_KEY_INVALID', message, details)
  }
}
