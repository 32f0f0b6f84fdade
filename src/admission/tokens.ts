/**
 * Bearer tokens, for clients that can send one in their upgrade request: stock clients cannot.
 *
 * Clause: P-040.
 */

import { createHash } from 'node:crypto'
import { equalConstantTime } from '../keys/constant-time.ts'
import { DenialReason } from '../metrics/admission-counters.ts'
import type { AdmissionRequest } from '../server/ports.ts'
import type { AdmissionPorts } from './admission.ts'
import { parseLines } from './list-lines.ts'
import type { Approval, Denial, Policy } from './policy.ts'
import { WatchedFile } from './watched-file.ts'

/** Shorter ones could be guessed. */
const MIN_TOKEN_LENGTH = 16
const LINE = /^([\w.@-]+)\s+(\S+)$/
/** Characters allowed in an `Authorization: Bearer` header (RFC 6750, section 2.1). */
const TOKEN = /^[\w.~+/-]+=*$/
const DIGEST = /^sha256:([0-9a-f]{64})$/i

/** A known token, by its hash. */
export interface NamedToken {
  /** Its owner, for the log. */
  readonly name: string
  readonly digest: Uint8Array
}

/**
 * Parses a name and a token, or `sha256:` and the token's hash in hex, from each line.
 *
 * @throws Error naming the line, without its content.
 */
export function parseTokenList(text: string): readonly NamedToken[] {
  return parseLines(text, line => {
    const [, name, secret] = LINE.exec(line) ?? []
    if (name === undefined || secret === undefined) throw new Error('expected a name, a space and a token')
    return { name, digest: digestOf(secret) }
  })
}

/** Admits clients that send a token from the file; if it is empty, no one. */
export class Tokens implements Policy {
  readonly file: WatchedFile<readonly NamedToken[]>

  private constructor(file: WatchedFile<readonly NamedToken[]>, onRevoked: () => void) {
    this.file = file
    file.onChange = before => {
      if (hasLost(before, file.value)) onRevoked()
    }
  }

  /** @param onRevoked called when a token was removed. Rejects with a DerpError naming file and line. */
  static async open(path: string, ports: AdmissionPorts, onRevoked: () => void = () => {}): Promise<Tokens> {
    const form = { name: 'token file', parse: parseTokenList, hasLost }
    return new Tokens(await WatchedFile.open(path, form, ports), onRevoked)
  }

  async admit({ token }: AdmissionRequest): Promise<Approval | Denial> {
    if (token === undefined) {
      return { admit: false, cause: DenialReason.TokenMissing, reason: 'no bearer token' }
    }
    const digest = sha256(token)
    // Compares with all tokens, so that timing reveals nothing.
    const [match] = this.file.value.filter(known => equalConstantTime(known.digest, digest))
    if (match !== undefined) return { admit: true, by: `token ${match.name}` }
    return { admit: false, cause: DenialReason.TokenUnknown, reason: 'unknown bearer token' }
  }
}

function hasLost(before: readonly NamedToken[], next: readonly NamedToken[]): boolean {
  return before.some(({ digest }) => !next.some(known => equalConstantTime(known.digest, digest)))
}

function digestOf(secret: string): Uint8Array {
  const [, hex] = DIGEST.exec(secret) ?? []
  if (hex !== undefined) return Buffer.from(hex, 'hex')
  if (secret.length < MIN_TOKEN_LENGTH) {
    throw new Error(`token has ${secret.length} characters, needs ${MIN_TOKEN_LENGTH} or more`)
  }
  if (!TOKEN.test(secret)) throw new Error('token has a character not allowed in the header')
  return sha256(secret)
}

function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}
