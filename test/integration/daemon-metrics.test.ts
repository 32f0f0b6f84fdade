import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { varsShapes, varzSamples } from '../../scripts/metric-names.ts'
import { createLog } from '../../src/daemon/log/log.ts'
import { FORWARD_DROP_REASONS, MeshLinkCounters } from '../../src/metrics/mesh-counters.ts'
import { RegionCounters } from '../../src/metrics/region-counters.ts'
import type { MetricSources } from '../../src/status/snapshot.ts'
import { expvarJson } from '../../src/status/vars-expvar.ts'
import { prometheusText } from '../../src/status/varz-prometheus.ts'
import { encodeBindingRequest } from '../../src/stun/message.ts'
import { STUN_REFUSAL_REASONS } from '../../src/stun/request-counters.ts'
import { type DatagramSource, StunResponder } from '../../src/stun/responder.ts'
import { summarizeCertificate } from '../../src/tls/certificate-source.ts'
import { loadManualCertificate } from '../../src/tls/files/manual-certs.ts'
import { WatchedCertificates } from '../../src/tls/files/watched-certs.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { MemoryRelay } from '../support/memory-relay.ts'
import { testMetrics } from '../support/metrics.ts'
import { TestCa } from '../support/test-ca.ts'

/** Nonzero Prometheus samples of our own metrics with `prefix`. */
async function samples(prefix: string, sources: Partial<MetricSources>): Promise<Record<string, number>> {
  const text = prometheusText(await testMetrics(new MemoryRelay().core, sources)())
  const found = varzSamples(text).filter(({ name, value }) => name.startsWith(prefix) && value !== 0)
  return Object.fromEntries(found.map(({ name, labels, value }) => [`${name.slice(prefix.length)}{${labels}}`, value]))
}

const REQUEST = encodeBindingRequest(new Uint8Array(12))
const SOURCES: readonly DatagramSource[] = [
  { family: 'IPv4', address: '192.0.2.1', port: 1 },
  { family: 'IPv6', address: '2001:db8::1', port: 1 },
]

/** A plain STUN request with these attributes, its length field off by `beyond`. */
function plainRequest(attributes = '', beyond = 0): Uint8Array {
  const body = Buffer.from(attributes, 'hex')
  const header = Buffer.from('000100002112a442000000000000000000000000', 'hex')
  header.writeUInt16BE(body.length + beyond, 2)
  return Buffer.concat([header, body])
}

test('every STUN request counter moves, for each family and reason (P-185)', async () => {
  // With a stopped clock, no source gets more than its burst.
  const plain = new StunResponder({ plain: true })
  const strict = new StunResponder({ sourceLimit: { perSecond: 1, burst: 1 }, clock: new FakeClock() })
  const sender = { send() {}, getSendQueueSize: () => 0 }
  for (const source of SOURCES) {
    const refused = ['00030004000000067f010000', '8022000874', '8028000400000000'].map(text => plainRequest(text))
    const wrong = [new Uint8Array(40), Uint8Array.from([0, 3, ...plainRequest().subarray(2)]), plainRequest('', 4)]
    for (const datagram of [REQUEST, plainRequest(), ...wrong, ...refused]) plain.receive(datagram, source, sender)
    const ofNoNode = [plainRequest(), plainRequest('802200087461696c6e6f6465')]
    for (const datagram of [REQUEST, REQUEST, ...ofNoNode]) strict.receive(datagram, source, sender)
  }
  const ofPlain = await samples('derphttp_stun_', { stunRequests: () => plain.requests })
  const ofStrict = await samples('derphttp_stun_', { stunRequests: () => strict.requests })
  const families = (name: string) => ['ipv4', 'ipv6'].map(family => `${name}{family="${family}"}`)
  const reasons = STUN_REFUSAL_REASONS.map(reason => reason.replaceAll(/[A-Z]/g, '_$&').toLowerCase())
  const refusals = ['ipv4', 'ipv6'].flatMap(family => reasons.map(reason => `refused_${family}{reason="${reason}"}`))
  const expected = [...families('node_requests'), ...families('plain_requests'), ...refusals]
  expect([...new Set([...Object.keys(ofPlain), ...Object.keys(ofStrict)])].toSorted()).toEqual(expected.toSorted())
  expect(new Set([...Object.values(ofPlain), ...Object.values(ofStrict)])).toEqual(new Set([1]))
})

test('certificate metrics show expiry, failures and replacements, by subject (P-146)', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'daemon-metrics-'))
  const ca = await TestCa.create()
  const store = async (days: number) => {
    const notAfter = new Date(Date.now() + days * 86_400_000)
    const { certificate, key } = await ca.issue({ dns: ['relay.test'], notAfter })
    writeFileSync(join(directory, 'relay.test.crt'), certificate)
    writeFileSync(join(directory, 'relay.test.key'), key)
    return Math.floor(summarizeCertificate(certificate).notAfterMs / 1_000)
  }
  const firstEnd = await store(10)
  const options = { directory, hostname: 'relay.test' }
  const certificate = await loadManualCertificate(options)
  await using watched = disposable(new WatchedCertificates({ ...options, certificate, replace() {} }))
  const certificates = () => watched.status()
  const look = () => samples('derphttp_cert_', { certificates })
  const subject = '{subject="relay.test"}'
  expect(await look()).toEqual({ [`not_after_seconds${subject}`]: firstEnd })
  const secondEnd = await store(20)
  await watched.reload()
  writeFileSync(join(directory, 'relay.test.crt'), 'none')
  await watched.reload()
  expect(await look()).toEqual({
    [`not_after_seconds${subject}`]: secondEnd,
    [`replacements${subject}`]: 1,
    [`failures${subject}`]: 1,
    [`last_error_seconds${subject}`]: Math.floor((certificates()[0]?.lastErrorMs ?? 0) / 1_000),
  })
  rmSync(directory, { recursive: true })
})

test('a pending certificate has no expiry, and a missing one has no metrics', async () => {
  const certificates = () => [
    {
      subject: 'relay.test',
      fingerprint: undefined,
      notAfterMs: undefined,
      lastError: 'not yet',
      lastErrorMs: 1,
      nextAttemptMs: undefined,
      failures: 3,
      replacements: 0,
    },
  ]
  expect(await samples('derphttp_cert_', { certificates })).toEqual({ 'failures{subject="relay.test"}': 3 })
  const names = Object.keys(varsShapes(expvarJson(await testMetrics(new MemoryRelay().core)())))
  expect(names.filter(name => /cert_|stun_/.test(name))).toEqual([])
})

function disposable<T extends { close(): Promise<void> }>(value: T): T & AsyncDisposable {
  return Object.assign(value, { [Symbol.asyncDispose]: () => value.close() })
}

test('every metric of a region moves, and there is none outside of regions', async () => {
  expect(await samples('derphttp_region_', {})).toEqual({})
  const counters = new RegionCounters()
  const numbers = counters as unknown as Record<string, number>
  for (const [n, name] of Object.keys(counters).entries()) numbers[name] = n + 2
  const links = new MeshLinkCounters()
  links.connects = 100
  links.forwarded.packets = 101
  links.forwarded.bytes = 102
  for (const [n, reason] of FORWARD_DROP_REASONS.entries()) links.dropped[reason].packets = 103 + n
  const member = (n: number) => ({ id: `ab${n}`, url: '', isLinkUp: n < 200, silentMs: 0, aheadMs: 1_000 + n })
  const members = Array.from({ length: 203 }, (_, n) => member(n))
  const gauges = { isJoined: true, members, routes: 204, waitingPackets: 205 }
  const shown = await samples('derphttp_region_', { region: () => ({ counters, links, ...gauges }) })
  const { size } = new Set(Object.values(shown))
  expect([size, Object.keys(shown).length]).toEqual([230, 230])
  expect(shown).toMatchObject({
    'joined{}': 1,
    'relays{}': 203,
    'links_up{}': 200,
    'clock_ahead_ms{relay="ab0"}': 1_000,
    'searches_ended{result="nobody"}': counters.searchesForNobody,
    'packets_dropped{reason="link_down"}': links.dropped.link_down.packets,
  })
})

test('log lines that are lost are counted, where the log is that of the daemon', async () => {
  const stuck = { write: () => new Promise<void>(() => {}) }
  const log = createLog({ level: 'info', format: 'json', clock: new FakeClock(), sink: stuck })
  for (let line = 0; line < 11; line++) log.info('x'.repeat(100_000))
  expect(await samples('derphttp_log_', { log: log.counters })).toEqual({ 'lines_dropped{}': 1 })
  expect(Object.keys(varsShapes(expvarJson(await testMetrics(new MemoryRelay().core)())))).not.toContain('log_')
})

test('running and crashed workers, and packets lost between them, are counted with several workers (P-102)', async () => {
  const names = ['workers', 'worker_crashes', 'packets_dropped{reason="worker_behind"}']
  const { core } = new MemoryRelay()
  const shown = async (sources: Partial<MetricSources>) => {
    const text = prometheusText(await testMetrics(core, sources)())
    const found = varzSamples(text).map(({ name, labels, value }) => [
      labels === '' ? name : `${name}{${labels}}`,
      value,
    ])
    const numbers = Object.fromEntries(found) as Record<string, number>
    return names.map(name => numbers[`derphttp_${name}`])
  }
  expect(await shown({})).toEqual([undefined, undefined, undefined])
  const workers = () => ({ running: 3, crashes: 1 })
  expect(await shown({ workers })).toEqual([3, 1, 0])
  core.counters.drop('worker_behind', 'other', 10)
  expect(await shown({ workers })).toEqual([3, 1, 1])
})
