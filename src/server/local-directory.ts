/** The {@link Directory} of a relay on one thread: calls the registry directly. */

import type { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { Destination, Directory, Link, LocalClient, Propagated } from './ports.ts'
import type { Region } from './region-ports.ts'
import { type PresenceChange, Registry, type RegistryOutput, type Route } from './registry.ts'

export class LocalDirectory<S extends LocalClient> implements Directory<S>, RegistryOutput<S, Link> {
  readonly registry: Registry<S, Link> = new Registry(this)
  readonly #routes: KeyMap<Destination>
  #region: Region | undefined
  #connections = 0

  /** @param routes the packet path's lookup table, kept up to date here. */
  constructor(routes: KeyMap<Destination>) {
    this.#routes = routes
  }

  get connections(): number {
    return this.#connections
  }

  /** Reports connects and disconnects to `region`, beginning with the clients connected now. */
  joinRegion(region: Region): void {
    this.#region = region
    for (const session of this.registry.members()) region.clientConnected(session)
  }

  async register(session: S): Promise<void> {
    this.#connections++
    this.registry.add(session)
    this.#region?.clientConnected(session)
  }

  unregister(session: S): void {
    this.#connections--
    this.registry.remove(session)
    this.#region?.clientDisconnected(session)
  }

  noteActivity(session: S): Propagated {
    this.registry.noteActivity(session)
    return undefined
  }

  subscribePeerGone(session: S, peer: NodePublicKey): void {
    this.registry.subscribePeerGone(session, peer)
    if (this.#region !== undefined && this.registry.routeOf(peer) === undefined) this.#region.missPeer(peer)
  }

  watch(session: S): Propagated {
    this.registry.watch(session)
    return undefined
  }

  closePeer(peer: NodePublicKey): Propagated {
    for (const session of this.registry.membersOf(peer)) session.close()
    return undefined
  }

  routeChanged(key: NodePublicKey, { active, link }: Route<S, Link>): void {
    const destination = active ?? link?.destinationFor(key)
    if (destination === undefined) this.#routes.delete(key)
    else this.#routes.set(key, destination)
  }

  duplicateChanged(session: S, isDuplicate: boolean): void {
    session.isDuplicate = isDuplicate
  }

  keyLeft(_key: NodePublicKey): void {}

  peerLeft(session: S, peer: NodePublicKey): void {
    session.tellPeerLeft(peer)
  }

  presence(watcher: S, changes: readonly PresenceChange[]): void {
    watcher.tellPresence(changes)
  }
}
