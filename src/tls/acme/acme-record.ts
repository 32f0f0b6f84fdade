/**
 * Persistent state of certificate attempts, so that a relay in a restart loop does not hammer the authority (P-149).
 */

import { readIfPresent, writeWhole } from '../whole-file.ts'
import type { AttemptHistory } from './acme-schedule.ts'

export interface AcmeRecord extends AttemptHistory {
  /** The directory used; a certificate from another one is replaced. */
  readonly directoryUrl: string
  /** Identifiers of the last order, even if the certificate lacks some. */
  readonly identifiers: readonly string[]
  /** Last error since the last success, and its time in milliseconds since 1970. */
  readonly lastError: { readonly reason: string; readonly atMs: number } | undefined
}

/** Reads the state; undefined if there is none or it is unreadable. */
export async function loadRecord(path: string): Promise<AcmeRecord | undefined> {
  try {
    return parseRecord(JSON.parse((await readIfPresent(path)) ?? 'null'))
  } catch {
    return undefined
  }
}

export async function saveRecord(path: string, record: AcmeRecord): Promise<void> {
  await writeWhole(path, `${JSON.stringify(record, undefined, 2)}\n`, 0o600)
}

function parseRecord(value: unknown): AcmeRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const fields = value as Partial<Record<keyof AcmeRecord, unknown>>
  const { directoryUrl, identifiers, failures, notBeforeMs, obtainedMs } = fields
  if (typeof directoryUrl !== 'string' || !Array.isArray(identifiers)) return undefined
  if (!isCount(failures) || !isCount(notBeforeMs) || !isCount(obtainedMs)) return undefined
  const lastError = parseError(fields.lastError)
  return { directoryUrl, identifiers: identifiers.map(String), failures, notBeforeMs, obtainedMs, lastError }
}

function parseError(value: unknown): AcmeRecord['lastError'] {
  if (typeof value !== 'object' || value === null) return undefined
  const { reason, atMs } = value as { reason?: unknown; atMs?: unknown }
  return typeof reason === 'string' && isCount(atMs) ? { reason, atMs } : undefined
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
