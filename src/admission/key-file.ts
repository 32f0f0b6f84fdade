/**
 * Key lists in files: allowed and denied keys.
 *
 * Two separate files: an emptied list must not come to mean the opposite.
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

/** Called for each key that is no longer admitted after a change. */
export type OnRevoked = (key: NodePublicKey) => void

/** Parses one key per line. @throws Error naming the line. */
export function parseKeyList(text: string): KeySet {
  const keys: KeySet = new KeyMap()
  for (const key of parseLines(text, parseKey)) keys.set(key, true)
  return keys
}

/** Admits only the keys in a file; if it is empty, no one. */
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

/** Refuses the keys in a file, whatever other rules say. */
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

/** Reports the keys of `all` missing from `present`. */
function tellMissing(all: KeySet, present: KeySet, tell: OnRevoked): void {
  for (const [key] of all) if (!present.has(key)) tell(key)
}
