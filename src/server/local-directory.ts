/** The {@link Directory} of a relay on one core: the registry is asked directly. */

import type { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { RelayCounters } from '../metrics/counters.ts'
import type { PacketKind } from '../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import type { Destination, Directory, LocalClient, PacketForwarder, PacketSource, Propagated } from './ports.ts'
import { type PresenceChange, Registry, type RegistryOutput, type Route } from './registry.ts'

/** Sends packets for one key to a sibling relay (P-072). */
class ForwarderDestination implements Destination {
  readonly local: undefined
  readonly #key: NodePublicKey
  readonly #forwarder: PacketForwarder
  readonly #counters: RelayCounters

  constructor(key: NodePublicKey, forwarder: PacketForwarder, counters: RelayCounters) {
    this.#key = key
    this.#forwarder = forwarder
    this.#counters = counters
  }

  takeSendPacket(source: PacketSource, buffer: Uint8Array, start: number, end: number, _kind: PacketKind): void {
    this.#counters.packetsForwardedOut++
    const payload = buffer.subarray(start + FRAME_HEADER_LENGTH + KEY_LENGTH, end)
    this.#forwarder.forwardPacket(source.key, this.#key, payload)
  }
}

export class LocalDirectory implements Directory, RegistryOutput<LocalClient, PacketForwarder> {
  readonly registry: Registry<LocalClient, PacketForwarder> = new Registry(this)
  readonly #routes: KeyMap<Destination>
  readonly #counters: RelayCounters
  #connections = 0

  /** @param routes what the packet path looks keys up in; kept up to date here. */
  constructor(routes: KeyMap<Destination>, counters: RelayCounters) {
    this.#routes = routes
    this.#counters = counters
  }

  get connections(): number {
    return this.#connections
  }

  async register(session: LocalClient): Promise<void> {
    this.#connections++
    this.registry.add(session)
  }

  unregister(session: LocalClient): void {
    this.#connections--
    this.registry.remove(session)
  }

  noteActivity(session: LocalClient): Propagated {
    this.registry.noteActivity(session)
    return undefined
  }

  subscribePeerGone(session: LocalClient, peer: NodePublicKey): void {
    this.registry.subscribePeerGone(session, peer)
  }

  watch(session: LocalClient): Propagated {
    this.registry.watch(session)
    return undefined
  }

  closePeer(peer: NodePublicKey): Propagated {
    for (const session of this.registry.membersOf(peer)) session.close()
    return undefined
  }

  routeChanged(key: NodePublicKey, { active, forwarder }: Route<LocalClient, PacketForwarder>): void {
    if (active !== undefined) this.#routes.set(key, active)
    else if (forwarder !== undefined) this.#routes.set(key, new ForwarderDestination(key, forwarder, this.#counters))
    else this.#routes.delete(key)
  }

  duplicateChanged(session: LocalClient, isDuplicate: boolean): void {
    session.isDuplicate = isDuplicate
  }

  peerLeft(session: LocalClient, peer: NodePublicKey): void {
    session.tellPeerLeft(peer)
  }

  presence(watcher: LocalClient, changes: readonly PresenceChange[]): void {
    watcher.tellPresence(changes)
  }
}
