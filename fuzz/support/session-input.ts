/** The input of a session with the relay: what is sent before the login, in ClientInfo, and after it. */

import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { InputReader } from './input-reader.ts'

/** Whose session it is; other keys are those of bystanders and of nobody. */
export const ATTACKER: NodePrivateKey = NodePrivateKey.fromBytes(new Uint8Array(32).fill(33))
export const MESH_KEY: string = 'ab'.repeat(32)

const SIZES = 6

export interface SessionInput {
  /** 0 for raw bytes in place of the login; 3 for pauses between the pieces. */
  readonly mode: number
  /** Of the pieces that it is sent in. */
  readonly sizes: Uint8Array
  readonly json: Uint8Array
  readonly frames: Uint8Array
}

export function readInput(input: Uint8Array): SessionInput {
  const reader = new InputReader(input)
  const mode = reader.below(4)
  const sizes = reader.take(SIZES)
  const json = reader.take(reader.byte())
  return { mode, sizes, json, frames: reader.rest() }
}
