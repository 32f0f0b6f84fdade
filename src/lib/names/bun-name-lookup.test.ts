import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { ThreadSparingLookup } from './bun-name-lookup.ts'
import type { NameAddress, NameLookup } from './name-address.ts'

/** A resolver whose answers the test gives. */
class Resolver {
  readonly asked: string[] = []
  readonly #answers = new Map<string, PromiseWithResolvers<readonly NameAddress[]>>()

  readonly lookUp: NameLookup = (host, family) => {
    this.asked.push(family === undefined ? host : `${host} ${family}`)
    const answer = Promise.withResolvers<readonly NameAddress[]>()
    this.#answers.set(host, answer)
    return answer.promise
  }

  answer(host: string, address: string): void {
    this.#answers.get(host)?.resolve([{ address, family: 4 }])
  }

  fail(host: string, code: string): void {
    this.#answers.get(host)?.reject(Object.assign(new Error(code), { code }))
  }
}

function setUp() {
  const [clock, cAres, system] = [new FakeClock(), new Resolver(), new Resolver()]
  const { lookUp } = new ThreadSparingLookup(cAres.lookUp, system.lookUp, clock)
  return { clock, cAres, system, lookUp }
}

test('ThreadSparingLookup asks the system for nothing that c-ares answers, and once for all who ask', async () => {
  const { clock, cAres, system, lookUp } = setUp()
  const both = [lookUp('a.test', 4), lookUp('a.test', 4)]
  cAres.answer('a.test', '192.0.2.1')
  expect(await Promise.all(both)).toEqual(Array(2).fill([{ address: '192.0.2.1', family: 4 }]))
  await settle()
  clock.advance(60_000)
  expect([cAres.asked, system.asked, clock.pendingTimers]).toEqual([['a.test 4'], [], 0])
  void lookUp('a.test', 4)
  expect(cAres.asked).toHaveLength(2)
})

test('ThreadSparingLookup asks the system at once for what c-ares does not know, and rejects with its reason', async () => {
  const { cAres, system, lookUp } = setUp()
  const [known, unknown] = [lookUp('printer.local'), lookUp('nobody.test')]
  cAres.fail('printer.local', 'DNS_ENOTFOUND')
  await settle()
  system.answer('printer.local', '192.0.2.2')
  expect(await known).toEqual([{ address: '192.0.2.2', family: 4 }])
  cAres.fail('nobody.test', 'DNS_ENOTFOUND')
  await settle()
  system.fail('nobody.test', 'ENOTFOUND')
  await expect(unknown).rejects.toMatchObject({ code: 'ENOTFOUND' })
})

test('ThreadSparingLookup takes one thread for all names whose servers are silent', async () => {
  const { clock, cAres, system, lookUp } = setUp()
  const names = ['a.test', 'b.test', 'c.test']
  const [a, b, c] = names.map(name => lookUp(name))
  clock.advance(1_999)
  await settle()
  expect(system.asked).toEqual([])
  clock.advance(1)
  await settle()
  expect(system.asked).toEqual(['a.test'])
  // It comes late, but before its turn.
  cAres.answer('b.test', '192.0.2.3')
  expect(await b).toHaveLength(1)
  cAres.fail('c.test', 'DNS_ETIMEOUT')
  system.fail('a.test', 'EAI_AGAIN')
  cAres.fail('a.test', 'DNS_ETIMEOUT')
  await expect(a).rejects.toMatchObject({ code: 'EAI_AGAIN' })
  await settle()
  expect(system.asked).toEqual(['a.test', 'c.test'])
  system.answer('c.test', '192.0.2.4')
  expect(await c).toHaveLength(1)
})
