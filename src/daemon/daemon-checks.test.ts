import { expect, test } from 'vitest'
import { MeshLinkCounters } from '../metrics/mesh-counters.ts'
import { Readiness } from '../status/readiness.ts'
import type { CertificateStatus } from '../tls/certificate-source.ts'
import { addDaemonChecks } from './daemon-checks.ts'

const NOW_MS = Date.UTC(2026, 10, 1)

/** What `/readyz` reports for a healthy daemon with `changes`. */
function findings(changes: {
  readonly draining?: string
  readonly isListening?: boolean
  readonly notAfterMs?: number
  readonly lastError?: string
  readonly admission?: string
  readonly region?: string
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
    region: { checks: [{ name: 'region', problem: () => changes.region, degradesOnly: false }] },
    admission: { checks: [{ name: 'admission-daemon', problem: () => changes.admission, degradesOnly: false }] },
    mesh: () => [{ host: 'b.test', state: changes.meshState ?? 'up', peers: 0, counters: new MeshLinkCounters() }],
    wallNow: () => NOW_MS,
  })
  const { problems, degraded } = readiness.report()
  return { problems: problems.map(({ name }) => name), degraded: degraded.map(({ name }) => name) }
}

test('a healthy daemon is ready (P-171)', () => {
  expect(findings({})).toEqual({ problems: [], degraded: [] })
  expect(findings({ meshState: 'self' })).toEqual({ problems: [], degraded: [] })
})

test.each([
  ['draining', { draining: 'shutting down' }],
  ['listeners', { isListening: false }],
  ['certificate', { notAfterMs: NOW_MS }],
  ['certificate', { notAfterMs: undefined, lastError: 'no answer' }],
  ['admission-daemon', { admission: 'not running' }],
  ['region', { region: 'not joined' }],
] as const)('a daemon with a %s problem is not ready (P-171)', (name, changes) => {
  expect(findings(changes as Parameters<typeof findings>[0])).toEqual({ problems: [name], degraded: [] })
})

test('a mesh peer without a link, or a failed renewal, only degrades a daemon (P-171)', () => {
  expect(findings({ meshState: 'connecting' })).toEqual({ problems: [], degraded: ['mesh'] })
  expect(findings({ lastError: 'no answer' })).toEqual({ problems: [], degraded: ['certificate-renewal'] })
})
