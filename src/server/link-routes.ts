/** What one link has announced to a {@link Registry}. */

import { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { Link, LinkRoutes } from './ports.ts'
import type { Member, Registry } from './registry.ts'

export class RegistryLinkRoutes<M extends Member> implements LinkRoutes {
  readonly #registry: Registry<M, Link>
  readonly #link: Link
  #keys: KeyMap<true> | undefined

  constructor(registry: Registry<M, Link>, link: Link, keepsKeys = true) {
    this.#registry = registry
    this.#link = link
    if (keepsKeys) this.#keys = new KeyMap()
  }

  get size(): number {
    return this.#keys?.size ?? 0
  }

  announce(key: NodePublicKey, isNewest?: boolean): void {
    this.#keys?.set(key, true)
    this.#registry.announce(key, this.#link, isNewest)
  }

  withdraw(key: NodePublicKey): void {
    this.#keys?.delete(key)
    this.#registry.withdraw(key, this.#link)
  }

  forget(key: NodePublicKey): void {
    this.#keys?.delete(key)
    this.#registry.forget(key, this.#link)
  }

  withdrawAll(): void {
    const keys = this.#keys
    if (keys === undefined) return
    this.#keys = new KeyMap()
    for (const [key] of keys) this.#registry.withdraw(key, this.#link)
  }
}
