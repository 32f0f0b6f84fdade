/** The daemon's relay on the main thread only. */

import type { ReadmittedClient } from '../admission/readmission.ts'
import type { NodePublicKey } from '../keys/node-key.ts'
import { systemClock } from '../lib/clock.ts'
import { AcceptLimits } from '../listen/accept-limits.ts'
import { createRelay, type Relay } from '../relay.ts'
import type { DrainOptions, DrainResult } from '../server/drain.ts'
import type { Link, LinkRoutes } from '../server/ports.ts'
import type { RateLimit } from '../server/reading/rate-limit.ts'
import type { RegionHost } from '../server/region-ports.ts'
import type { Readiness } from '../status/readiness.ts'
import type { MetricReader } from '../status/snapshot.ts'
import type { CertificateSource } from '../tls/certificate-source.ts'
import type { DaemonRelay, DaemonRelayParts } from './daemon-relay.ts'
import { DebugSecrets } from './debug/debug-secrets.ts'
import { type IdleCollection, idleCollection } from './idle-collection.ts'
import type { LogLevel } from './log/log.ts'
import { memoryRoom } from './memory-room.ts'
import { RelayListeners } from './relay-listeners.ts'
import { relayOptions } from './relay-options.ts'

export class SingleRelay implements DaemonRelay {
  readonly #parts: DaemonRelayParts
  readonly #relay: Relay
  readonly #limits: AcceptLimits
  readonly #idle: IdleCollection
  readonly #secrets: DebugSecrets
  #listeners: RelayListeners | undefined

  constructor(parts: DaemonRelayParts) {
    const { settings, privateKey, log, admission, names, program } = parts
    this.#parts = parts
    this.#limits = new AcceptLimits(settings.listen.limits, systemClock, log, undefined, memoryRoom(systemClock))
    this.#secrets = new DebugSecrets(settings.debug)
    this.#relay = createRelay({
      ...relayOptions(settings, { privateKey, meshKey: settings.mesh.key, secrets: this.#secrets }),
      log,
      admission,
      bootstrapDns: names,
      program: {
        ...program,
        connections: this.#limits.counters,
        certificates: () => this.certificates?.status(),
      },
    })
    this.#idle = idleCollection(this.#relay.core.counters)
  }

  get publicKey(): NodePublicKey {
    return this.#relay.publicKey
  }

  get options(): DaemonRelay['options'] {
    return this.#relay.core.options
  }

  get metrics(): MetricReader {
    return this.#relay.metrics
  }

  get readiness(): Readiness {
    return this.#relay.readiness
  }

  get regionHost(): RegionHost {
    return this.#relay.core
  }

  get clients(): Iterable<ReadmittedClient> {
    return this.#relay.core.sessions
  }

  get connections(): number {
    return this.#relay.core.counters.currentConnections
  }

  get port(): number {
    return this.#listeners?.port ?? 0
  }

  get httpPort(): number | undefined {
    return this.#listeners?.httpPort
  }

  get certificates(): CertificateSource | undefined {
    return this.#listeners?.certificates
  }

  get isListening(): boolean {
    return this.#listeners?.isListening ?? false
  }

  async prepare(): Promise<void> {
    const { settings, log, mapNodePorts } = this.#parts
    const parts = { relay: this.#relay, limits: this.#limits, log, mapNodePorts }
    this.#listeners = await RelayListeners.create(settings, parts)
    await this.#secrets.start()
  }

  async listen(): Promise<void> {
    await this.#listeners?.listen()
  }

  async start(): Promise<void> {
    await this.#listeners?.start()
    this.#idle.start()
  }

  addLink(link: Link, keepsKeys?: boolean): LinkRoutes {
    return this.#relay.core.addLink(link, keepsKeys)
  }

  closePeer(key: NodePublicKey): void {
    void this.#relay.core.directory.closePeer(key)
  }

  limitRate(limit: RateLimit | undefined): void {
    this.#relay.core.rateLimit = limit
  }

  limitTotalRate(bytesPerSecond: number): void {
    this.#relay.core.totalRate = bytesPerSecond
  }

  // Nothing to pass on: the relay reads the names directly and shares the log.
  namesChanged(): void {}

  setLogLevel(_level: LogLevel): void {}

  stopListening(): void {
    this.#listeners?.stopListening()
  }

  drain(options: DrainOptions): Promise<DrainResult> {
    return this.#relay.drain(options)
  }

  async close(): Promise<void> {
    this.#idle.stop()
    this.#secrets.close()
    this.#relay.close()
    await this.#listeners?.close()
  }
}
