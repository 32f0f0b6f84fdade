import { expect, test } from 'vitest'
import type { BootstrapDnsOptions } from '../../src/http/pages/bootstrap-dns.ts'
import { BootstrapNames } from '../../src/http/pages/bootstrap-names.ts'
import { rolloutNumber } from '../../src/http/pages/rollout.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { request } from '../support/raw-http.ts'
import { settle } from '../support/settle.ts'

/** Names with these addresses; an empty list for a name without addresses. */
async function namesOf(text: string, zone: Record<string, readonly string[]>): Promise<BootstrapNames> {
  const answer = async (question: string) => {
    const found = zone[question]
    if (found === undefined) throw Object.assign(new Error('no such name'), { code: 'ENOTFOUND' })
    return found
  }
  const names = new BootstrapNames(text, {
    resolver: { addresses: answer, texts: answer },
    clock: new FakeClock(),
  })
  names.start()
  await settle()
  return names
}

const ZONE = {
  'a.example': ['192.0.2.1'],
  'b.example': ['2001:db8::2', '192.0.2.2'],
  'hidden.example': ['192.0.2.3'],
  'none.example': [],
  'some.example': ['192.0.2.4'],
  'half.example': ['50'],
  'zero.example': ['0'],
}

async function relayWith(bootstrapDns: Omit<BootstrapDnsOptions, 'random'>, random = () => 0.999) {
  const relay = await ListeningRelay.start({ bootstrapDns, random })
  const ask = async (query = '') => (await request(relay.port, `GET /bootstrap-dns${query}`)).body.toString()
  return {
    relay,
    ask,
    counters: relay.relay.http.bootstrapDns,
    [Symbol.asyncDispose]: () => relay[Symbol.asyncDispose](),
  }
}

const PUBLISHED =
  '{\n\t"a.example": [\n\t\t"192.0.2.1"\n\t],\n\t"b.example": [\n\t\t"2001:db8::2",\n\t\t"192.0.2.2"\n\t]\n}'

test('/bootstrap-dns returns the published names in the original’s format (P-164, P-165)', async () => {
  await using setup = await relayWith({ published: await namesOf('b.example,a.example,gone.example', ZONE) })
  const response = await request(setup.relay.port, 'GET /bootstrap-dns')
  expect([response.status, response.body.toString()]).toEqual([200, PUBLISHED])
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'application/json',
    connection: 'close',
    'x-frame-options': 'DENY',
  })
  expect(await setup.ask('?q=a.example')).toBe(PUBLISHED)
  expect(await setup.ask('?q=other.example')).toBe(PUBLISHED)
  expect(setup.counters).toMatchObject({ requests: 3, queriedDomains: 2, publishedHits: 1, unpublishedMisses: 1 })
  expect((await request(setup.relay.port, 'HEAD /bootstrap-dns')).body).toHaveLength(0)
})

test('/bootstrap-dns shuffles the addresses of published names (P-164)', async () => {
  await using setup = await relayWith({ published: await namesOf('b.example', ZONE) }, () => 0)
  expect(JSON.parse(await setup.ask())).toEqual({ 'b.example': ['192.0.2.2', '2001:db8::2'] })
})

test('/bootstrap-dns returns an unpublished name only when requested, and only that name (P-164)', async () => {
  await using setup = await relayWith({
    published: await namesOf('a.example', ZONE),
    unpublished: await namesOf('hidden.example,none.example', ZONE),
  })
  expect(JSON.parse(await setup.ask('?q=hidden.example'))).toEqual({ 'hidden.example': ['192.0.2.3'] })
  for (const query of ['', '?q=', '?q=a.example', '?q=none.example', '?q=Hidden.example', '?x=hidden.example']) {
    expect(JSON.parse(await setup.ask(query))).toEqual({ 'a.example': ['192.0.2.1'] })
  }
  expect(setup.counters).toEqual({
    requests: 7,
    queriedDomains: 4,
    publishedHits: 1,
    publishedMisses: 0,
    unpublishedHits: 1,
    unpublishedMisses: 2,
    unpublishedPercentMisses: 0,
  })
})

test('/bootstrap-dns returns an unpublished name to the share in its TXT record (P-164)', async () => {
  let chance = 0
  const unpublished = await namesOf('some.example/half.example,hidden.example/zero.example', ZONE)
  await using setup = await relayWith({ unpublished }, () => chance)
  expect(JSON.parse(await setup.ask('?q=some.example'))).toEqual({ 'some.example': ['192.0.2.4'] })
  chance = 0.5
  expect(await setup.ask('?q=some.example')).toBe('')
  expect(await setup.ask('?q=hidden.example')).toBe('')
  expect(setup.counters).toMatchObject({ unpublishedHits: 3, unpublishedPercentMisses: 2, unpublishedMisses: 2 })
})

test('/bootstrap-dns selects the share by the client address from a trusted proxy (P-125, P-164)', async () => {
  const unpublished = await namesOf('some.example/half.example', ZONE)
  await using relay = await ListeningRelay.start({ bootstrapDns: { unpublished }, trustedProxies: ['127.0.0.1'] })
  const reaches = async (address: string) => {
    const { body } = await request(relay.port, 'GET /bootstrap-dns?q=some.example', [`X-Forwarded-For: ${address}`])
    return body.length > 0
  }
  const addresses = Array.from({ length: 20 }, (_, n) => `192.0.2.${n}`)
  const wanted = addresses.map(address => rolloutNumber(address) < 0.5)
  expect(new Set(wanted).size).toBe(2)
  expect(await Promise.all(addresses.map(reaches))).toEqual(wanted)
})

test('/bootstrap-dns has an empty body without names or before they are resolved, null if none resolved (P-164)', async () => {
  await using bare = await relayWith({})
  expect([await bare.ask(), bare.counters.requests]).toEqual(['', 1])
  const waiting = new BootstrapNames('a.example', { clock: new FakeClock() })
  await using early = await relayWith({ published: waiting })
  expect(await early.ask('?q=a.example')).toBe('')
  await using failed = await relayWith({ published: await namesOf('gone.example', ZONE) })
  expect(await failed.ask()).toBe('null')
})

test('/bootstrap-dns counts a published name without addresses as a miss, and at most 500 names (P-164)', async () => {
  await using setup = await relayWith({ published: await namesOf('none.example', ZONE) })
  await setup.ask('?q=none.example')
  expect(setup.counters).toMatchObject({ publishedMisses: 1, publishedHits: 0, unpublishedMisses: 0 })
  for (let n = 1; n < 500; n++) await setup.ask(`?q=${n}.example`)
  await setup.ask(`?q=${'x'.repeat(256)}`)
  expect(setup.counters.queriedDomains).toBe(500)
  await setup.ask('?q=one.more')
  expect(setup.counters.queriedDomains).toBe(0)
})
