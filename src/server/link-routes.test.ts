import { expect, test } from 'vitest'
import { KeyMap } from '../keys/key-map.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import { RegistryLinkRoutes } from './link-routes.ts'
import { LocalDirectory } from './local-directory.ts'
import type { Destination, Link, LocalClient } from './ports.ts'

const [A, B, C] = [1, 2, 3].map(() => NodePrivateKey.generate().publicKey()) as [Key, Key, Key]
type Key = ReturnType<NodePrivateKey['publicKey']>

/** What a link has announced, and the routes that follow. */
function announced(keepsKeys?: boolean) {
  const routes = new KeyMap<Destination>()
  const { registry } = new LocalDirectory<LocalClient>(routes)
  const link: Link = { destinationFor: () => ({ local: undefined, takeSendPacket() {} }) }
  const of = new RegistryLinkRoutes(registry, link, keepsKeys)
  for (const key of [A, B, C]) of.announce(key)
  const reached = () => [A, B, C].filter(key => routes.has(key))
  return { of, reached }
}

test('RegistryLinkRoutes counts the keys that its link reaches (P-075)', () => {
  const { of } = announced()
  expect(of.size).toBe(3)
  of.announce(A)
  of.withdraw(B)
  of.forget(C)
  expect(of.size).toBe(1)
})

test('RegistryLinkRoutes withdraws all keys of a link that ends (P-075)', () => {
  const { of, reached } = announced()
  of.withdraw(B)
  expect(reached()).toEqual([A, C])
  of.withdrawAll()
  of.withdrawAll()
  expect([of.size, reached()]).toEqual([0, []])
  of.announce(B)
  expect([of.size, reached()]).toEqual([1, [B]])
})

test('RegistryLinkRoutes for a link that keeps its keys itself remembers none (P-304)', () => {
  const { of, reached } = announced(false)
  of.withdrawAll()
  expect([of.size, reached()]).toEqual([0, [A, B, C]])
  of.withdraw(A)
  expect(reached()).toEqual([B, C])
})
