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

  private constructor(file: WatchedFile<KeySet>, onRevoked: OnRevoked) {
    this.file = file
    file.onChange = before => tellMissing(before, file.value, onRevoked)
  }

  /** Rejects with a DerpError naming file and line. */
  static async open(path: string, ports: AdmissionPorts, onRevoked: OnRevoked = () => {}): Promise<AllowedKeys> {
    return new AllowedKeys(await WatchedFile.open(path, formOf('allow list'), ports), onRevoked)
  }

  async admit({ clientKey }: AdmissionRequest): Promise<Approval | Denial> {
    if (this.file.value.has(clientKey)) return { admit: true, by: 'allow list' }
    return { admit: false, cause: DenialReason.KeyNotListed, reason: 'key is not on the allow list' }
  }
}

/** Refuses the keys in a file, whatever other rules say. */
export class DeniedKeys implements Policy {
  readonly file: WatchedFile<KeySet>

  private constructor(file: WatchedFile<KeySet>, onRevoked: OnRevoked) {
    this.file = file
    file.onChange = before => tellMissing(file.value, before, onRevoked)
  }

  /** Rejects with a DerpError naming file and line. */
  static async open(path: string, ports: AdmissionPorts, onRevoked: OnRevoked = () => {}): Promise<DeniedKeys> {
    return new DeniedKeys(await WatchedFile.open(path, formOf('deny list'), ports), onRevoked)
  }

  async admit({ clientKey }: AdmissionRequest): Promise<Approval | Denial> {
    if (!this.file.value.has(clientKey)) return { admit: true, by: '' }
    return { admit: false, cause: DenialReason.KeyDenied, reason: 'key is on the deny list' }
  }
}

function formOf(name: string): FileForm<KeySet> {
  return { name, parse: parseKeyList, hasLost: (before, next) => missing(before, next).next().done !== true }
}

function parseKey(line: string): NodePublicKey {
  const key = NodePublicKey.parse(line)
  if (key.isZero()) throw new Error('the key is zero')
  return key
}

/** Reports the keys of `all` missing from `present`. */
function tellMissing(all: KeySet, present: KeySet, tell: OnRevoked): void {
  for (const key of missing(all, present)) tell(key)
}

function* missing(all: KeySet, present: KeySet): Generator<NodePublicKey> {
  for (const [key] of all) if (!present.has(key)) yield key
}
