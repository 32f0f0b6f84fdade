import { once } from 'node:events'
import { type ConnectionOptions, connect, type SecureVersion } from 'node:tls'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { AcmeChallenges } from '../../src/tls/challenges.ts'
import { createMetaCertificate } from '../../src/tls/meta-cert.ts'
import { RelayTls } from '../../src/tls/relay-tls.ts'
import { TlsReplicas } from '../../src/tls/replicas.ts'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { IN_BUN } from '../support/own-runtime.ts'
import { ServedTls } from '../support/served-tls.ts'
import { TestCa } from '../support/test-ca.ts'

const AUTHORITY: ConnectionOptions = { servername: 'relay.test', ALPNProtocols: ['acme-tls/1'] }
const TICKET_KEYS = new Uint8Array(48).fill(7)

let metaCertificate: string
const pairs: Record<string, CertificatePair> = {}
const cleanups: (() => unknown)[] = []

beforeAll(async () => {
  const ca = await TestCa.create()
  for (const commonName of ['first', 'second', 'proof', 'numbered']) {
    pairs[commonName] = await ca.issue({ dns: ['relay.test'], ips: ['127.0.0.1'], commonName })
  }
  metaCertificate = await createMetaCertificate(NodePrivateKey.generate().publicKey())
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const pair = (commonName: string): CertificatePair => pairs[commonName] as CertificatePair

/** A thread's server; returns the port. */
async function serve(tls: RelayTls): Promise<number> {
  const server = await ServedTls.start(tls)
  cleanups.push(() => server[Symbol.asyncDispose]())
  return server.port
}

/** A replica of `tls` that receives its state and updates like another thread. */
function replicaOf(tls: RelayTls, replicas: TlsReplicas): RelayTls {
  const replica = RelayTls.ofState(structuredClone(tls.state()))
  cleanups.push(replicas.add(async update => replica.apply(structuredClone(update))))
  return replica
}

/** The subject presented to a client, or its handshake error. */
async function shown(port: number, options: ConnectionOptions = { servername: 'relay.test' }): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  try {
    await once(socket, 'secureConnect')
    return String(socket.getPeerX509Certificate()?.subject.replace('CN=', ''))
  } catch (error) {
    return (error as Error).message
  } finally {
    socket.destroy()
  }
}

test('a replica serves the relay’s certificate, initially and after each replacement (P-141, P-146)', async () => {
  const replicas = new TlsReplicas()
  const tls = new RelayTls({ hostname: 'relay.test', metaCertificate, replicas, certificate: pair('first') })
  const port = await serve(replicaOf(tls, replicas))
  expect(await shown(port)).toBe('first')
  expect(await shown(port, {})).toMatch(/alert/i)
  tls.replace(pair('second'))
  tls.replaceUnnamed(pair('numbered'))
  const later = await serve(replicaOf(tls, replicas))
  for (const each of [port, later]) {
    expect(await shown(each)).toBe('second')
    expect(await shown(each, {})).toBe('numbered')
    expect(await shown(each, AUTHORITY)).toMatch(/alert/i)
  }
  expect(() => tls.replace({ certificate: 'none', key: 'none' })).toThrow()
  expect(await shown(later)).toBe('second')
})

test('a replica of a relay with an address serves its certificate to all (P-141)', async () => {
  const replicas = new TlsReplicas()
  const tls = new RelayTls({ hostname: '127.0.0.1', metaCertificate, replicas })
  const port = await serve(replicaOf(tls, replicas))
  expect(await shown(port, {})).toMatch(/alert/i)
  tls.replace(pair('first'))
  const later = await serve(replicaOf(tls, replicas))
  for (const each of [port, later]) {
    expect(await shown(each)).toBe('first')
    expect(await shown(each, {})).toBe('first')
  }
})

test('a challenge certificate is on every thread before validation starts, and removed afterwards (P-147)', async () => {
  const replicas = new TlsReplicas()
  const challenges = new AcmeChallenges(replicas)
  const tls = new RelayTls({ hostname: 'relay.test', metaCertificate, challenges, replicas })
  const replica = RelayTls.ofState(structuredClone(tls.state()))
  const port = await serve(replica)
  const taken = Promise.withResolvers<void>()
  replicas.add(async update => {
    await taken.promise
    replica.apply(structuredClone(update))
  })
  replicas.add(() => Promise.reject(new Error('thread is gone')))
  let isShown = false
  const showing = challenges.showTls('relay.test', pair('proof')).then(() => {
    isShown = true
  })
  expect(await shown(port, AUTHORITY)).toMatch(/alert/i)
  expect(isShown).toBe(false)
  taken.resolve()
  await showing
  const later = await serve(replicaOf(tls, replicas))
  for (const each of [port, later]) expect(await shown(each, AUTHORITY)).toBe('proof')
  challenges.hideTls('relay.test')
  await replicas.tell({ type: 'certificate', pair: pair('first') })
  for (const each of [port, later]) expect(await shown(each, AUTHORITY)).toMatch(/alert/i)
  expect(await shown(port)).toBe('first')
})

/** Whether `second` resumes the session of a connection to `first`. */
async function isResumed(version: SecureVersion, first: number, second: number, servername: string): Promise<boolean> {
  const options = { host: '127.0.0.1', servername, rejectUnauthorized: false }
  const versions = { minVersion: version, maxVersion: version }
  const socket = connect({ ...options, ...versions, port: first })
  const [session] = (await once(socket.resume(), 'session')) as [Buffer]
  socket.destroy()
  const again = connect({ ...options, ...versions, port: second, session })
  await once(again, 'secureConnect')
  const isReused = again.isSessionReused()
  again.destroy()
  return isReused
}

// Bun's servers resume no sessions but their own.
test.skipIf(IN_BUN).each(['TLSv1.2', 'TLSv1.3'] as const)('over %s, a session resumes on any thread', async version => {
  for (const [hostname, servername] of [
    ['relay.test', 'relay.test'],
    ['127.0.0.1', ''],
  ] as const) {
    const replicas = new TlsReplicas()
    const certificate = pair('first')
    const tls = new RelayTls({ hostname, metaCertificate, replicas, certificate, ticketKeys: TICKET_KEYS })
    const ports = [await serve(replicaOf(tls, replicas)), await serve(replicaOf(tls, replicas))] as const
    expect(await isResumed(version, ...ports, servername)).toBe(true)
    tls.replace(pair('second'))
    expect(await isResumed(version, ...ports, servername)).toBe(true)
    const alone = new RelayTls({ hostname, metaCertificate, certificate })
    expect(await isResumed(version, ports[0], await serve(alone), servername)).toBe(false)
  }
})
