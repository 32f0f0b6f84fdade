/**
 * A relay of a simulated region: the real directory, registry, forward handling and backplane, without
 * connections.
 */

import { Backplane } from '../backplane/backplane.ts'
import { type RelayId, relayIdOf } from '../backplane/stamp.ts'
import { KeyMap } from '../keys/key-map.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import type { Clock } from '../lib/clock.ts'
import { silentLog } from '../lib/log.ts'
import { RelayCounters } from '../metrics/counters.ts'
import { DropReason } from '../metrics/drop-reason.ts'
import { FRAME_HEADER_LENGTH, KEY_LENGTH } from '../protocol/constants.ts'
import { takeForwardPacket } from '../server/forwarded.ts'
import { RegistryLinkRoutes } from '../server/link-routes.ts'
import { LocalDirectory } from '../server/local-directory.ts'
import type { Destination, Link, LinkRoutes } from '../server/ports.ts'
import type { Region, RegionHost } from '../server/region-ports.ts'
import type { Network } from './network.ts'
import type { SimBroker, SimBus } from './sim-bus.ts'
import { type ClientHost, keyAt, type SimClient } from './sim-client.ts'
import { type LinkEnd, SimLink } from './sim-link.ts'

/** Dependencies of a simulated relay. */
export interface SimRelayPorts {
  readonly network: Network
  readonly broker: SimBroker
  readonly clock: Clock
  /** Changes each time the relay starts. */
  readonly life: number
  readonly maxRoutes?: number
  /** The bus is down until it is reconnected. */
  readonly isBusDown?: boolean
  /** The running relay with that id. */
  relay(id: RelayId): SimRelay | undefined
}

export class SimRelay implements RegionHost, ClientHost, LinkEnd {
  readonly id: RelayId
  readonly key: NodePublicKey
  readonly life: number
  readonly counters: RelayCounters = new RelayCounters()
  readonly directory: LocalDirectory<SimClient>
  readonly clients: Set<SimClient> = new Set()
  readonly bus: SimBus
  readonly links: Map<RelayId, SimLink> = new Map()
  readonly backplane: Backplane
  readonly #routes = new KeyMap<Destination>()
  isRunning = true
  #region: Region | undefined
  readonly #allLinks: SimLink[] = []

  constructor(key: NodePublicKey, ports: SimRelayPorts) {
    const { network, broker, clock } = ports
    this.id = relayIdOf(key)
    this.key = key
    this.life = ports.life
    this.directory = new LocalDirectory(this.#routes)
    this.bus = broker.connect(this.id)
    if (ports.isBusDown === true) this.bus.disconnect()
    this.backplane = new Backplane({
      host: this,
      bus: this.bus,
      ownKey: key,
      url: `https://${this.id}.test/derp`,
      clock,
      ...(ports.maxRoutes !== undefined && { maxRoutes: ports.maxRoutes }),
      log: silentLog,
      openLink: ({ id: to }, events) => {
        const link = new SimLink({ network, from: this, to, end: () => ports.relay(to) }, events)
        this.links.set(to, link)
        this.#allLinks.push(link)
        return link
      },
    })
    this.backplane.start()
  }

  /** Packets dropped and counted here, including on links. */
  get dropped(): number {
    let dropped = this.#allLinks.reduce((sum, link) => sum + link.dropped, 0)
    for (const { disco, other } of Object.values(this.counters.dropped)) dropped += disco.packets + other.packets
    return dropped
  }

  login(client: SimClient): void {
    this.clients.add(client)
    void this.directory.register(client)
  }

  clientEnded(client: SimClient): void {
    if (this.clients.delete(client)) this.directory.unregister(client)
  }

  /** Handles a SendPacket frame from a client like `server/handlers/send-packet`. */
  takePacket(source: SimClient, frame: Uint8Array): void {
    const destination = this.#routes.get(frame, FRAME_HEADER_LENGTH)
    if (destination !== undefined) {
      if (destination.local === undefined) this.counters.packetsForwardedOut++
      destination.takeSendPacket(source, frame, 0, frame.length, 'other')
    } else if (this.#region?.takeUnknown(source, frame, 0, frame.length, 'other') !== true) {
      this.counters.drop(DropReason.UnknownDest, 'other', frame.length - KEY_LENGTH - FRAME_HEADER_LENGTH)
      source.tellNotHere(keyAt(frame, FRAME_HEADER_LENGTH), 'other')
    }
  }

  /** Handles a ForwardPacket frame from another relay like `server/handlers/forward-packet`. */
  takeForwarded(from: NodePublicKey, frame: Uint8Array): NodePublicKey | undefined {
    const destination = keyAt(frame, FRAME_HEADER_LENGTH + KEY_LENGTH)
    this.#region?.noteSource(from, frame, FRAME_HEADER_LENGTH)
    const link = { relay: this, routes: this.#routes }
    return takeForwardPacket(link, frame, 0, frame.length, 'other') ? undefined : destination
  }

  /** Ends like a killed process; queued packets count as dropped. */
  kill(): void {
    this.isRunning = false
    this.bus.disconnect()
    for (const link of this.#allLinks) link.close()
    void this.backplane.stop()
    for (const client of this.clients) client.isClosed = true
    this.clients.clear()
  }

  awaitDeparture(client: SimClient, peer: NodePublicKey): void {
    this.directory.subscribePeerGone(client, peer)
  }

  addLink(link: Link, keepsKeys?: boolean): LinkRoutes {
    return new RegistryLinkRoutes(this.directory.registry, link, keepsKeys)
  }

  joinRegion(region: Region): void {
    this.#region = region
    this.directory.joinRegion(region)
  }

  destinationOf(bytes: Uint8Array, offset: number): Destination | undefined {
    return this.#routes.get(bytes, offset)
  }

  isAwaited(bytes: Uint8Array, offset: number): boolean {
    return this.directory.registry.isAwaited(bytes, offset)
  }

  keyLeft(key: NodePublicKey): void {
    this.directory.registry.leave(key)
  }

  closePeer(key: NodePublicKey): void {
    void this.directory.closePeer(key)
  }
}
