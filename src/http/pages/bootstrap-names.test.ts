import { expect, test } from 'vitest'
import { admissionPorts } from '../../../test/support/admission.ts'
import { settle } from '../../../test/support/settle.ts'
import { BootstrapNames, type BootstrapResolver } from './bootstrap-names.ts'

const REFRESH_MS = 10 * 60_000

function failure(code: string): Error {
  return Object.assign(new Error(`query ${code}`), { code })
}

/** DNS of the test: answers with a list, fails with an error, or for undefined never answers. */
class TestResolver implements BootstrapResolver {
  readonly zone: Record<string, readonly string[] | Error | undefined> = {}
  readonly queries: string[] = []

  readonly addresses = (name: string) => this.#answer(name)
  readonly texts = (name: string) => this.#answer(`TXT ${name}`)

  async #answer(question: string): Promise<readonly string[]> {
    this.queries.push(question)
    const answer = question in this.zone ? this.zone[question] : failure('ENOTFOUND')
    if (answer instanceof Error) throw answer
    return answer ?? new Promise(() => {})
  }
}

function setup(text: string, zone: TestResolver['zone']) {
  const resolver = new TestResolver()
  Object.assign(resolver.zone, zone)
  const { clock, log, lines } = admissionPorts()
  const names = new BootstrapNames(text, { resolver, clock, log })
  return { resolver, clock, lines, names }
}

test('BootstrapNames resolves names and shares, and refreshes them every ten minutes (P-164)', async () => {
  const { resolver, clock, names } = setup('a.example, b.example/share.example', {
    'a.example': ['192.0.2.1', '2001:db8::1'],
    'b.example': ['192.0.2.2'],
    'TXT share.example': ['30'],
  })
  expect(names.known).toBeUndefined()
  names.start()
  await settle()
  expect([...(names.known ?? [])]).toEqual([
    ['a.example', { addresses: ['192.0.2.1', '2001:db8::1'], share: 1 }],
    ['b.example', { addresses: ['192.0.2.2'], share: 0.3 }],
  ])
  resolver.zone['a.example'] = ['192.0.2.9']
  clock.advance(REFRESH_MS - 1)
  await settle()
  expect(resolver.queries).toHaveLength(3)
  clock.advance(1)
  await settle()
  expect(names.known?.get('a.example')?.addresses).toEqual(['192.0.2.9'])
  names.stop()
  expect(clock.pendingTimers).toBe(0)
})

test.each([
  [['50'], 0.5],
  [['0'], 0],
  [['100'], 1],
  [['+7'], 0.07],
  [['20', 'other', '101', '-1', '40'], 0.4],
  [['40%'], 0],
  [['4 0'], 0],
  [['0.5'], 0],
  [[''], 0],
  [[], 0],
])('BootstrapNames reads the TXT records %j as a share of %d (P-164)', async (texts, share) => {
  const { names } = setup('b.example/share.example', { 'b.example': ['192.0.2.2'], 'TXT share.example': texts })
  names.start()
  await settle()
  expect(names.known?.get('b.example')?.share).toBe(share)
  names.stop()
})

test('BootstrapNames leaves out names that do not exist, and reads a missing record as 0 % (P-164)', async () => {
  const { names, lines } = setup('a.example,b.example/share.example', { 'b.example': ['192.0.2.2'] })
  names.start()
  await settle()
  expect([...(names.known ?? [])]).toEqual([['b.example', { addresses: ['192.0.2.2'], share: 0 }]])
  expect(lines.map(({ level, fields }) => [level, fields['name'], fields['kept']])).toEqual([
    ['warn', 'a.example', false],
    ['warn', 'share.example', false],
  ])
  names.stop()
})

test('BootstrapNames keeps old values when DNS fails, and drops names that no longer exist (P-164)', async () => {
  const { resolver, clock, names } = setup('a.example/share.example,b.example', {
    'a.example': ['192.0.2.1'],
    'TXT share.example': ['50'],
    'b.example': ['192.0.2.2'],
  })
  names.start()
  await settle()
  for (const question of Object.keys(resolver.zone)) resolver.zone[question] = failure('EAI_AGAIN')
  resolver.zone['b.example'] = failure('ENODATA')
  clock.advance(REFRESH_MS)
  await settle()
  expect([...(names.known ?? [])]).toEqual([['a.example', { addresses: ['192.0.2.1'], share: 0.5 }]])
  names.stop()
})

test('BootstrapNames limits a refresh to one minute, and keeps the answers received by then (P-164)', async () => {
  const { clock, names, lines } = setup('a.example,b.example', { 'a.example': ['192.0.2.1'], 'b.example': undefined })
  names.start()
  await settle()
  clock.advance(59_999)
  await settle()
  expect(names.known).toBeUndefined()
  clock.advance(1)
  await settle()
  expect([...(names.known ?? [])].map(([name]) => name)).toEqual(['a.example'])
  expect(lines[0]?.fields).toMatchObject({ name: 'b.example', reason: 'no answer after 60000 ms' })
  names.stop()
})

test('BootstrapNames stopped during a refresh sends no more queries', async () => {
  const { clock, resolver, names } = setup('a.example', { 'a.example': ['192.0.2.1'] })
  names.start()
  names.stop()
  await settle()
  clock.advance(10 * REFRESH_MS)
  await settle()
  expect([resolver.queries, clock.pendingTimers]).toEqual([['a.example'], 0])
})

test.each(['', 'a.example,', 'a.example,/share.example', ','])('BootstrapNames refuses "%s"', text => {
  expect(() => new BootstrapNames(text)).toThrow('it is empty')
})

test('BootstrapNames calls onRefresh after each refresh, with data that can be cloned (P-164)', async () => {
  const { clock, log } = admissionPorts()
  const refreshed: unknown[] = []
  const resolver = new TestResolver()
  resolver.zone['a.example'] = ['192.0.2.1']
  const onRefresh = () => refreshed.push(structuredClone(names.known))
  const names = new BootstrapNames('a.example', { resolver, clock, log, onRefresh })
  names.start()
  await settle()
  resolver.zone['a.example'] = ['192.0.2.2']
  clock.advance(REFRESH_MS)
  await settle()
  expect(refreshed).toEqual([
    new Map([['a.example', { addresses: ['192.0.2.1'], share: 1 }]]),
    new Map([['a.example', { addresses: ['192.0.2.2'], share: 1 }]]),
  ])
  names.stop()
})
