/**
 * Lists of keys in files: who is let in, and who is not.
 *
 * Two files and not one with both: a list that becomes empty must not come to mean the opposite.
 * Clause: P-040.
 */

import { KeyMap } from '../keys/key-map.ts'
import { NodePublicKey } from '../keys/node-key.ts'
import { DenialReason } from '../metrics/admission-counters.ts'
import type { AdmissionRequest } from '../server/ports.ts'
import type { AdmissionPorts } from './admission.ts'
import { parseLines } from './list-lines.ts'
import type { Approval, Denial, Policy } from './policy.ts'
import { type FileForm, WatchedFile } from './watched-file.ts'

type KeySet = KeyMap<true>

/** Is told of each key that was admitted until the file changed, and is not any more. */
export type OnRevoked = (key: NodePublicKey) => void

/** Reads one key a line. @throws Error that names the line. */
export function parseKeyList(text: string): KeySet {
  const keys: KeySet = new KeyMap()
  for (const key of parseLines(text, parseKey)) keys.set(key, true)
  return keys
}

/** Lets in the keys of a file and no others; with none in it, nobody. */
export class AllowedKeys implements Policy {
  readonly file: WatchedFile<KeySet>

  /** @throws DerpError naming file and line. */
  constructor(path: string, ports: AdmissionPorts, onRevoked: OnRevoked = () => {}) {
    this.file = openKeyList('allow list', path, ports)
    this.file.onChange = before => tellMissing(before, this.file.value, onRevoked)
  }

  async admit({ clientKey }: AdmissionRequest): Promise<Approval | Denial> {
    if (this.file.value.has(clientKey)) return { admit: true, by: 'allow list' }
    return { admit: false, cause: DenialReason.KeyNotListed, reason: 'key is not on the allow list' }
  }
}

/** Keeps out the keys of a file, whatever else speaks for them. */
export class DeniedKeys implements Policy {
  readonly file: WatchedFile<KeySet>

  /** @throws DerpError naming file and line. */
  constructor(path: string, ports: AdmissionPorts, onRevoked: OnRevoked = () => {}) {
    this.file = openKeyList('deny list', path, ports)
    this.file.onChange = before => tellMissing(this.file.value, before, onRevoked)
  }

  async admit({ clientKey }: AdmissionRequest): Promise<Approval | Denial> {
    if (!this.file.value.has(clientKey)) return { admit: true, by: '' }
    return { admit: false, cause: DenialReason.KeyDenied, reason: 'key is on the deny list' }
  }
}

function openKeyList(name: string, path: string, ports: AdmissionPorts): WatchedFile<KeySet> {
  const form: FileForm<KeySet> = { name, parse: parseKeyList }
  return new WatchedFile(path, form, ports)
}

function parseKey(line: string): NodePublicKey {
  const key = NodePublicKey.parse(line)
  if (key.isZero()) throw new Error('the key is all zero')
  return key
}

/** Tells of the keys of `all` that are not in `present`. */
function tellMissing(all: KeySet, present: KeySet, tell: OnRevoked): void {
  for (const [key] of all) if (!present.has(key)) tell(key)
}
