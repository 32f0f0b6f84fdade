import { expect, test } from 'vitest'
import { admissionPorts, requestOf } from '../../test/support/admission.ts'
import { DenialReason } from '../metrics/admission-counters.ts'
import { Admission } from './admission.ts'
import { type Policy, SourceDownError } from './policy.ts'

const denying: Policy = {
  admit: async () => ({ admit: false, cause: DenialReason.KeyDenied, reason: 'on the list' }),
}

test('Admission counts by cause, and logs a denied client once in ten minutes (P-040)', async () => {
  const ports = admissionPorts()
  const gate = new Admission(denying, ports)
  const [client, other] = [requestOf(), requestOf()]
  for (const request of [client, client, other]) {
    expect(await gate.admit(request)).toMatchObject({ admit: false, reason: 'on the list' })
  }
  expect(ports.lines.map(({ level, fields }) => [level, fields['client']])).toEqual([
    ['info', client.clientKey.shortString()],
    ['info', other.clientKey.shortString()],
  ])
  // Whole keys would tell who uses the relay.
  expect(JSON.stringify(ports.lines)).not.toContain(client.clientKey.toHex())
  expect(ports.lines[0]?.fields).toMatchObject({ cause: 'key_denied', reason: 'on the list', remote: '192.0.2.1' })
  ports.clock.advance(10 * 60_000)
  await gate.admit(client)
  expect(ports.lines).toHaveLength(3)
  expect(ports.counters.denied).toMatchObject({ key_denied: 4, source_down: 0 })
  expect(ports.counters.admitted).toBe(0)
})

test('Admission remembers a bounded number of clients for its log', async () => {
  const ports = admissionPorts()
  const gate = new Admission(denying, ports)
  const first = requestOf()
  await gate.admit(first)
  for (let n = 0; n < 1_000; n++) await gate.admit(requestOf())
  await gate.admit(first)
  expect(ports.lines).toHaveLength(1_002)
})

test('Admission denies when a backend is down, and passes on other errors (P-040)', async () => {
  const ports = admissionPorts()
  const down = new SourceDownError('url', 'ask admission URL: refused', { isTransport: true })
  expect(await new Admission({ admit: () => Promise.reject(down) }, ports).admit(requestOf())).toEqual({
    admit: false,
    cause: 'source_down',
    isUnsure: true,
    reason: 'ask admission URL: refused',
  })
  expect(ports.counters.denied.source_down).toBe(1)
  const broken: Policy = { admit: () => Promise.reject(new TypeError('a bug')) }
  await expect(new Admission(broken, ports).admit(requestOf())).rejects.toThrow('a bug')
})

test('Admission does not admit a client for claiming to be a prober (P-040)', async () => {
  const request = requestOf({ info: { version: 2, canAckPings: false, isProber: true } })
  expect(await new Admission(denying, admissionPorts()).admit(request)).toMatchObject({ admit: false })
})
