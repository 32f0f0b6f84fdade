import { expect, test } from 'vitest'
import { admissionPorts, requestOf } from '../../test/support/admission.ts'
import { DenialReason } from '../metrics/admission-counters.ts'
import { FailOpen } from './fail-open.ts'
import { LastKnownGood } from './last-known-good.ts'
import { type Approval, type Denial, type Policy, SourceDownError } from './policy.ts'

const YES: Approval = { admit: true, by: 'source' }
const NO: Denial = { admit: false, cause: DenialReason.UrlRefused, reason: 'no' }
const unreachable = () => new SourceDownError('url', 'unreachable', { isTransport: true })
const garbled = () => new SourceDownError('url', 'garbled', { isTransport: false })

/** A backend with scripted answers. */
class Source implements Policy {
  answer: () => Approval | Denial = () => YES

  async admit(): Promise<Approval | Denial> {
    return this.answer()
  }
}

function fail(error: () => Error): () => never {
  return () => {
    throw error()
  }
}

test.each([unreachable, garbled])(
  'LastKnownGood covers for a source that is %o, for a limited time (P-040)',
  async error => {
    const [source, ports] = [new Source(), admissionPorts()]
    const policy = new LastKnownGood(source, 60_000, ports)
    const [known, stranger] = [requestOf(), requestOf()]
    expect(await policy.admit(known)).toEqual(YES)
    source.answer = fail(error)
    ports.clock.advance(60_000)
    expect(await policy.admit(known)).toEqual({ admit: true, by: `approval of 1m ago: ${error().message}` })
    await expect(policy.admit(stranger)).rejects.toThrow(error().message)
    expect(ports.counters.admittedFromMemory).toBe(1)
    ports.clock.advance(1)
    await expect(policy.admit(known)).rejects.toThrow(error().message)
  },
)

test('LastKnownGood never overrides a denial, which forgets the key (P-040)', async () => {
  const [source, ports] = [new Source(), admissionPorts()]
  const policy = new LastKnownGood(source, 60_000, ports)
  const client = requestOf()
  await policy.admit(client)
  source.answer = () => NO
  expect(await policy.admit(client)).toEqual(NO)
  source.answer = fail(unreachable)
  await expect(policy.admit(client)).rejects.toThrow('unreachable')
})

test('LastKnownGood with a zero TTL remembers no one, and passes on other errors', async () => {
  const [source, ports] = [new Source(), admissionPorts()]
  const [forgetful, mindful] = [new LastKnownGood(source, 0, ports), new LastKnownGood(source, 60_000, ports)]
  const client = requestOf()
  for (const policy of [forgetful, mindful]) await policy.admit(client)
  source.answer = fail(unreachable)
  await expect(forgetful.admit(client)).rejects.toThrow('unreachable')
  source.answer = fail(() => new TypeError('a bug'))
  await expect(mindful.admit(client)).rejects.toThrow('a bug')
})

test('FailOpen covers an unreachable backend, not an invalid response or a denial (P-040)', async () => {
  const [source, ports] = [new Source(), admissionPorts()]
  const policy = new FailOpen(source, ports)
  expect(await policy.admit(requestOf())).toEqual(YES)
  source.answer = fail(unreachable)
  expect(await policy.admit(requestOf())).toEqual({ admit: true, by: 'fail-open: unreachable' })
  source.answer = fail(garbled)
  await expect(policy.admit(requestOf())).rejects.toThrow('garbled')
  source.answer = () => NO
  expect(await policy.admit(requestOf())).toEqual(NO)
  expect(ports.counters.admittedByFailOpen).toBe(1)
})
