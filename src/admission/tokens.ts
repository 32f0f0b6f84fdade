/**
 * Bearer tokens, for clients that can send one with their upgrade request: stock clients cannot.
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

/** A shorter one could be guessed. */
const MIN_TOKEN_LENGTH = 16
const LINE = /^([\w.@-]+)\s+(\S+)$/
/** What an `Authorization: Bearer` header can carry (RFC 6750, section 2.1). */
const TOKEN = /^[\w.~+/-]+=*$/
const DIGEST = /^sha256:([0-9a-f]{64})$/i

/** A token that is known, by its hash. */
export interface NamedToken {
  /** Whose it is, for the log. */
  readonly name: string
  readonly digest: Uint8Array
}

/**
 * Reads a name and a token, or `sha256:` and the token's hash in hex, from each line.
 *
 * @throws Error that names the line and shows nothing of what may be a secret.
 */
export function parseTokenList(text: string): readonly NamedToken[] {
  return parseLines(text, line => {
    const [, name, secret] = LINE.exec(line) ?? []
    if (name === undefined || secret === undefined) throw new Error('not a name, a space and a token')
    return { name, digest: digestOf(secret) }
  })
}

/** Lets in whoever shows a token of a file; with none in it, nobody. */
export class Tokens implements Policy {
  readonly file: WatchedFile<readonly NamedToken[]>

  /** @param onRevoked told when a token is not known any more. @throws DerpError naming file and line. */
  constructor(path: string, ports: AdmissionPorts, onRevoked: () => void = () => {}) {
    this.file = new WatchedFile(path, { name: 'token file', parse: parseTokenList }, ports)
    this.file.onChange = before => {
      const isLost = ({ digest }: NamedToken) => !this.file.value.some(known => equalConstantTime(known.digest, digest))
      if (before.some(isLost)) onRevoked()
    }
  }

  async admit({ token }: AdmissionRequest): Promise<Approval | Denial> {
    if (token === undefined) {
      return { admit: false, cause: DenialReason.TokenMissing, reason: 'no bearer token was shown' }
    }
    const digest = sha256(token)
    // All are compared: how long it takes tells nothing.
    const [match] = this.file.value.filter(known => equalConstantTime(known.digest, digest))
    if (match !== undefined) return { admit: true, by: `token ${match.name}` }
    return { admit: false, cause: DenialReason.TokenUnknown, reason: 'bearer token is not known' }
  }
}

function digestOf(secret: string): Uint8Array {
  const [, hex] = DIGEST.exec(secret) ?? []
  if (hex !== undefined) return Buffer.from(hex, 'hex')
  if (secret.length < MIN_TOKEN_LENGTH) {
    throw new Error(`token has ${secret.length} characters, wants ${MIN_TOKEN_LENGTH} or more`)
  }
  if (!TOKEN.test(secret)) throw new Error('token has a character that the header cannot carry')
  return sha256(secret)
}

function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text).digest()
}
