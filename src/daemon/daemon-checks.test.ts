import { expect, test } from 'vitest'
import { MeshLinkCounters } from '../metrics/mesh-counters.ts'
import { Readiness } from '../status/readiness.ts'
import type { CertificateStatus } from '../tls/certificate-source.ts'
import { addDaemonChecks } from './daemon-checks.ts'

const NOW_MS = Date.UTC(2026, 10, 1)

/** What `/readyz` tells of a daemon that is well but for `changes`. */
function findings(changes: {
  readonly draining?: string
  readonly isListening?: boolean
  readonly notAfterMs?: number
  readonly lastError?: string
  readonly admission?: string
  readonly meshState?: 'up' | 'connecting' | 'self'
}) {
  const certificate: CertificateStatus = {
    subject: 'relay.test',
    fingerprint: 'ab',
    notAfterMs: 'notAfterMs' in changes ? changes.notAfterMs : NOW_MS + 1,
    lastError: changes.lastError,
    lastErrorMs: undefined,
    nextAttemptMs: undefined,
    failures: 0,
    replacements: 0,
  }
  const source = { status: () => [certificate], start: async () => {}, reload: async () => {}, close: async () => {} }
  const readiness = new Readiness()
  addDaemonChecks(readiness, {
    draining: { problem: changes.draining },
    isListening: () => changes.isListening ?? true,
    certificates: () => source,
    admission: { checks: [{ name: 'admission-daemon', problem: () => changes.admission, degradesOnly: false }] },
    mesh: () => [{ host: 'b.test', state: changes.meshState ?? 'up', peers: 0, counters: new MeshLinkCounters() }],
    wallNow: () => NOW_MS,
  })
  const { problems, degraded } = readiness.report()
  return { problems: problems.map(({ name }) => name), degraded: degraded.map(({ name }) => name) }
}

test('a daemon that is well is ready (P-171)', () => {
  expect(findings({})).toEqual({ problems: [], degraded: [] })
  expect(findings({ meshState: 'self' })).toEqual({ problems: [], degraded: [] })
})

test.each([
  ['draining', { draining: 'it ends' }],
  ['listeners', { isListening: false }],
  ['certificate', { notAfterMs: NOW_MS }],
  ['certificate', { notAfterMs: undefined, lastError: 'no answer' }],
  ['admission-daemon', { admission: 'it does not run' }],
] as const)('a daemon is not ready for %s (P-171)', (name, changes) => {
  expect(findings(changes as Parameters<typeof findings>[0])).toEqual({ problems: [name], degraded: [] })
})

test('a mesh peer without a link degrades a daemon only, and so does a failed renewal (P-171)', () => {
  expect(findings({ meshState: 'connecting' })).toEqual({ problems: [], degraded: ['mesh'] })
  expect(findings({ lastError: 'no answer' })).toEqual({ problems: [], degraded: ['certificate-renewal'] })
})
