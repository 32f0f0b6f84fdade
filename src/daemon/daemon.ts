/** A running `derper`: relay, STUN, admission and links to mesh peers, started and stopped together. */

import type { AdmissionSettings } from '../admission/create-admission.ts'
import { Readmission } from '../admission/readmission.ts'
import { ReloadableAdmission } from '../admission/reloadable-admission.ts'
import type { NodePrivateKey, NodePublicKey } from '../keys/node-key.ts'
import { systemClock } from '../lib/clock.ts'
import { Mesh } from '../mesh/mesh.ts'
import { AdmissionCounters } from '../metrics/admission-counters.ts'
import type { RateLimit } from '../server/reading/rate-limit.ts'
import type { CertificateSource } from '../tls/certificate-source.ts'
import { bind, type WantedPort } from './bind.ts'
import { BootstrapDns } from './bootstrap-dns.ts'
import type { ControlStatus } from './control/control-message.ts'
import { InPlaceUpgrade } from './control/in-place-upgrade.ts'
import { addDaemonChecks } from './daemon-checks.ts'
import type { DaemonRelay, DaemonRelayParts } from './daemon-relay.ts'
import { Draining } from './draining.ts'
import { LimitWatch } from './limit-watch.ts'
import type { DaemonLog } from './log/log.ts'
import { mapNodePorts } from './map-node-ports.ts'
import { MetricsListener, wantedMetricsPort } from './metrics-listener.ts'
import { packetTotals } from './packet-totals.ts'
import { pathsUsedAfterStart } from './paths-used-after-start.ts'
import { dropPrivileges, warnOfInaccessible } from './privileges.ts'
import { DaemonRegion } from './region/daemon-region.ts'
import { regionUrl } from './region/region-url.ts'
import { wantedTcpPorts } from './relay-listeners.ts'
import type { DaemonSettings, DrainSettings, LiveSettings } from './settings.ts'
import { SingleRelay } from './single-relay.ts'
import { StunThread, wantedStunPort } from './stun/stun-thread.ts'
import { WorkerRelay } from './workers/worker-relay.ts'

/** All ports to bind. */
export function wantedPorts(settings: DaemonSettings): WantedPort[] {
  const { stun, metrics } = settings
  return [
    ...wantedTcpPorts(settings),
    ...(stun === undefined ? [] : [wantedStunPort(stun)]),
    ...(metrics === undefined ? [] : [wantedMetricsPort(metrics)]),
  ]
}

export class DerperDaemon {
  readonly #relay: DaemonRelay
  readonly draining: Draining
  readonly #settings: DaemonSettings
  readonly #log: DaemonLog
  readonly #stun: StunThread | undefined
  readonly #admission: ReloadableAdmission
  readonly #readmission: Readmission
  readonly #mesh: Mesh | undefined
  readonly #region: DaemonRegion | undefined
  readonly #names: BootstrapDns
  readonly #metrics: MetricsListener | undefined
  readonly #limits: LimitWatch
  readonly #upgrade: InPlaceUpgrade | undefined
  #drain: DrainSettings
  /** The bound UDP port. */
  stunPort: number | undefined

  /** Does no network I/O. Rejects with a DerpError naming the invalid setting or file. */
  static async create(settings: DaemonSettings, privateKey: NodePrivateKey, log: DaemonLog): Promise<DerperDaemon> {
    const counters = new AdmissionCounters()
    const admission = await ReloadableAdmission.create(
      settings.admission,
      { clock: systemClock, log, counters, ...settings.outbound },
      {
        onKey: key => daemon.#relay.closePeer(key),
        onToken: () => void daemon.#readmission.run(({ token }) => token !== undefined),
      },
    )
    const daemon = new DerperDaemon(settings, privateKey, log, { admission, counters })
    return daemon
  }

  private constructor(
    settings: DaemonSettings,
    privateKey: NodePrivateKey,
    log: DaemonLog,
    { admission, counters }: { readonly admission: ReloadableAdmission; readonly counters: AdmissionCounters },
  ) {
    this.#settings = settings
    this.#log = log
    this.#drain = settings.drain
    this.#admission = admission
    this.#readmission = new Readmission(() => this.#relay.clients, this.#admission, log)
    this.#names = new BootstrapDns(settings.bootstrapDns, log, () => this.#relay.namesChanged())
    this.#stun = settings.stun && new StunThread(settings.stun, { clock: systemClock, log })
    const parts: DaemonRelayParts = {
      settings,
      privateKey,
      log,
      admission: this.#admission,
      names: this.#names,
      program: { ...this.#program(), admission: () => (this.#admission.isSet ? counters : undefined) },
      mapNodePorts: () => mapNodePorts(this),
    }
    this.#relay = settings.workers === 1 ? new SingleRelay(parts) : new WorkerRelay(parts)
    const { mesh, region, outbound } = settings
    const { peers, maxClients } = mesh
    if (peers.length > 0) this.#mesh = new Mesh(this.#relay, peers, { ...outbound, maxClients })
    this.#region = region && new DaemonRegion(this.#relay, region, outbound)
    if (settings.metrics !== undefined) this.#metrics = new MetricsListener(settings.metrics, this.#relay)
    this.#limits = new LimitWatch(this.#relay.metrics, systemClock, log)
    this.draining = this.#createDraining()
    this.#upgrade = this.#createUpgrade()
    addDaemonChecks(this.#relay.readiness, {
      draining: this.draining,
      isListening: () => this.#relay.isListening,
      certificates: () => this.certificates,
      admission: this.#admission,
      region: this.#region,
      mesh: () => this.#mesh?.snapshot(),
      wallNow: () => systemClock.wallNow(),
    })
  }

  get publicKey(): NodePublicKey {
    return this.#relay.publicKey
  }

  /** Address of the separate metrics listener, if any. */
  get metricsAddress(): string | undefined {
    return this.#metrics?.address
  }

  /** The bound TCP port. */
  get port(): number {
    return this.#relay.port
  }

  /** The bound port for plain HTTP beside TLS, if any. */
  get httpPort(): number | undefined {
    return this.#relay.httpPort
  }

  /** Source and state of the certificates; undefined without TLS. */
  get certificates(): CertificateSource | undefined {
    return this.#relay.certificates
  }

  /** Probes each admission backend once. Resolves to problems and their effect, for those that do not respond. */
  probeAdmission(): Promise<readonly string[]> {
    return this.#admission.probe()
  }

  /** Resolves when another process has taken over and the drain has ended. */
  get handedOver(): Promise<void> | undefined {
    return this.#upgrade?.handedOver
  }

  /**
   * Binds everything.
   *
   * @param first the process to take over from, if any; whatever fails here, that one continues.
   * @throws DerpError naming the flag whose port cannot be bound, the invalid file, or what holds its id in the region.
   */
  async start(first?: ControlStatus): Promise<void> {
    try {
      await this.#start(first)
    } catch (error) {
      // Clients that came here meanwhile move back.
      if (first !== undefined && this.#relay.isListening) await this.draining.run(true)
      throw error
    }
  }

  async #start(first: ControlStatus | undefined): Promise<void> {
    const isShared = this.#settings.upgrade !== undefined
    if (first !== undefined) await this.#upgrade?.check()
    await this.#relay.prepare()
    await this.#listenForStun()
    await this.#metrics?.listen(isShared)
    // Last, so that no client comes to a process that fails to bind another port.
    await this.#relay.listen()
    if (first === undefined) await this.#upgrade?.listen()
    await this.#dropPrivileges()
    await this.#relay.start()
    this.#names.start()
    this.#mesh?.start()
    for (const note of this.#settings.notes) this.#log.warn(note)
    this.#admission.start()
    this.#limits.start()
    if (first === undefined) await this.#joinRegion()
    else await this.#takeOver(first)
  }

  async applySettings(
    { log, metricsAccess, drain, totalRate }: LiveSettings,
    admission: AdmissionSettings | undefined,
  ): Promise<void> {
    if (admission !== undefined) {
      await this.#admission.replace(admission)
      void this.#readmission.run()
    }
    this.#log.level = log.level
    this.#relay.setLogLevel(log.level)
    this.#drain = drain
    this.#relay.limitTotalRate(totalRate)
    if (this.#metrics !== undefined) this.#metrics.access = metricsAccess
  }

  applyRateLimit(limit: RateLimit | undefined): void {
    this.#relay.limitRate(limit)
  }

  async reloadFiles(): Promise<void> {
    await Promise.all([this.#admission.reload(), this.certificates?.reload()])
  }

  /** Closes all connections and ports. */
  async stop(): Promise<void> {
    this.#limits.stop()
    this.#readmission.stop()
    this.#admission.close()
    this.#names.stop()
    await Promise.all([this.#mesh?.stop(), this.#region?.stop()])
    await Promise.all([this.#relay.close(), this.#stun?.close()])
    // Last, so that the shutdown can be observed.
    await this.#metrics?.close()
    this.#upgrade?.close()
  }

  async #listenForStun(): Promise<void> {
    const [server, settings] = [this.#stun, this.#settings.stun]
    if (server === undefined || settings === undefined) return
    this.stunPort = (await bind(wantedStunPort(settings), () => server.listen())).port
  }

  async #joinRegion(): Promise<void> {
    const { region, tls } = this.#settings
    const { regionHost } = this.#relay
    if (region !== undefined && regionHost !== undefined)
      await this.#region?.start(regionHost, regionUrl(region, this.port, tls))
  }

  #createDraining(): Draining {
    return new Draining({
      clock: systemClock,
      log: this.#log,
      settings: () => this.#drain,
      connections: () => this.#relay.connections,
      stopListening: isHandover => {
        this.#upgrade?.release()
        this.#relay.stopListening()
        // The other one answers from now on.
        if (isHandover) void this.#metrics?.close()
        // Clients choose their relay by STUN latency.
        void this.#stun?.close()
      },
      drain: async options => {
        const result = await this.#relay.drain(options)
        await Promise.all([this.#mesh?.stop(), this.#region?.stop()])
        return result
      },
      totals: async () => packetTotals(await this.#relay.metrics()),
    })
  }

  #createUpgrade(): InPlaceUpgrade | undefined {
    const { upgrade, program, account } = this.#settings
    const ports = () => ({
      main: this.port,
      http: this.httpPort,
      stun: this.stunPort,
      metrics: this.#metrics?.port,
    })
    const { draining } = this
    const [log, admission, { readiness }, { version }] = [this.#log, this.#admission, this.#relay, program]
    return (
      upgrade &&
      new InPlaceUpgrade(upgrade, { clock: systemClock, log, version, account, ports, draining, readiness, admission })
    )
  }

  /** The region knows both processes by the same key, so this one joins after the first. */
  async #takeOver(first: ControlStatus): Promise<void> {
    const draining = await this.#upgrade?.takeOver(first)
    draining?.ended
      .then(() => this.#joinRegion())
      .catch((error: Error) => this.#log.error('region not joined', { reason: error.message }))
  }

  async #dropPrivileges(): Promise<void> {
    const { account, workers } = this.#settings
    if (account === undefined) return
    dropPrivileges(account)
    this.#log.info('dropped root privileges', { ...account })
    // SO_REUSEPORT needs the same user for all sockets of a port.
    if (workers > 1)
      this.#log.warn('a failed worker cannot be replaced under another user: the remaining workers take its clients')
    await warnOfInaccessible(pathsUsedAfterStart(this.#settings), this.#log, systemClock)
  }

  #program() {
    return {
      stun: () => this.#stun?.counters,
      stunRequests: () => this.#stun?.requests,
      mesh: () => this.#mesh?.snapshot(),
      region: () => this.#region?.snapshot(),
      tls: this.#settings.tls !== undefined,
      log: this.#log.counters,
      ...this.#settings.program,
    }
  }
}
