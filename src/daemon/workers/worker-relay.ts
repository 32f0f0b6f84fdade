/**
 * The daemon's relay on several threads.
 *
 * Workers serve clients. The main thread owns certificates, admission and the client limit, and serves plain HTTP
 * beside TLS.
 */

import type { ReadmittedClient } from '../../admission/readmission.ts'
import type { NodePublicKey } from '../../keys/node-key.ts'
import { threadsClock } from '../../lib/node-clock.ts'
import { AcceptLimits } from '../../listen/accept-limits.ts'
import type { HttpListener } from '../../listen/node/http-listener.ts'
import { createTallyMemory, MAIN_THREAD, SharedTally } from '../../listen/shared-tally.ts'
import { HttpCounters } from '../../metrics/http-counters.ts'
import type { DrainOptions, DrainResult } from '../../server/drain.ts'
import type { Link, LinkRoutes } from '../../server/ports.ts'
import type { RateLimit } from '../../server/reading/rate-limit.ts'
import { Readiness } from '../../status/readiness.ts'
import type { MetricReader } from '../../status/snapshot.ts'
import type { CertificateSource } from '../../tls/certificate-source.ts'
import { Workers, type WorkersOptions } from '../../workers/coordinator/node-workers.ts'
import { bind, type WantedPort } from '../bind.ts'
import type { DaemonRelay, DaemonRelayParts } from '../daemon-relay.ts'
import { DebugSecrets } from '../debug/debug-secrets.ts'
import type { LogLevel } from '../log/log.ts'
import { memoryRoom } from '../memory-room.ts'
import { wantedTcpPorts } from '../relay-listeners.ts'
import { createMainTls, type MainTls } from './main-tls.ts'
import { createPlainListener } from './plain-listener.ts'
import { WORKER_ENTRY, WORKER_MARK } from './worker-entry.ts'
import { workerSettings } from './worker-settings.ts'
import { WorkerThreads } from './worker-threads.ts'

const EMPTY_DRAIN: DrainResult = { told: 0, moved: 0, cut: 0 }

export class WorkerRelay implements DaemonRelay {
  readonly publicKey: NodePublicKey
  readonly options: DaemonRelay['options']
  readonly readiness: Readiness
  readonly regionHost: undefined
  readonly #parts: DaemonRelayParts
  readonly #tally: { readonly memory: ReturnType<typeof createTallyMemory>; readonly own: SharedTally }
  readonly #limits: AcceptLimits
  readonly #http = new HttpCounters()
  /** For plain HTTP beside TLS; workers have their own. */
  readonly #secrets: DebugSecrets
  #tls: MainTls | undefined
  #port80: HttpListener | undefined
  #threads: WorkerThreads | undefined
  #workers: Workers | undefined
  #isEnding = false
  httpPort: number | undefined

  /** Starts no threads. */
  constructor(parts: DaemonRelayParts) {
    const { settings, privateKey, log } = parts
    const { limits } = settings.listen
    this.#parts = parts
    this.publicKey = privateKey.publicKey()
    this.options = { privateKey, meshKey: settings.mesh.key, clock: threadsClock, log, random: Math.random }
    const memory = createTallyMemory(limits, settings.workers + 1)
    this.#tally = { memory, own: new SharedTally(memory, MAIN_THREAD, limits.sourceRate) }
    this.#limits = new AcceptLimits(limits, threadsClock, log, this.#tally.own, memoryRoom(threadsClock))
    this.#secrets = new DebugSecrets(settings.debug, threadsClock)
    this.readiness = new Readiness([
      { name: 'draining', problem: () => (this.#isEnding ? 'the relay accepts no more clients' : undefined) },
      { name: 'workers', problem: () => this.#missingWorkers(), degradesOnly: true },
    ])
  }

  /** Rejects before the workers have started. */
  readonly metrics: MetricReader = async () => this.#running.coordinator.metrics()

  get clients(): Iterable<ReadmittedClient> {
    return this.#workers?.coordinator.members ?? []
  }

  get connections(): number {
    return this.#workers?.coordinator.connections ?? 0
  }

  get port(): number {
    return this.#threads?.port ?? 0
  }

  get certificates(): CertificateSource | undefined {
    return this.#tls?.certificates
  }

  get isListening(): boolean {
    return !this.#isEnding && (this.#workers?.listening ?? 0) > 0
  }

  async prepare(): Promise<void> {
    const { settings, log, mapNodePorts } = this.#parts
    const { publicKey } = this
    this.#tls =
      settings.tls && (await createMainTls(settings.tls, { publicKey, clock: threadsClock, log, mapNodePorts }))
  }

  async listen(): Promise<void> {
    const [main, http] = wantedTcpPorts(this.#parts.settings)
    if (main !== undefined) await this.#startWorkers(main)
    if (http === undefined) return
    await this.#secrets.start()
    const listener = this.#createPort80()
    this.#port80 = listener
    const reusePort = this.#parts.settings.upgrade !== undefined
    this.httpPort = (await bind(http, () => listener.listen(http.port, http.host, { reusePort }))).port
  }

  async start(): Promise<void> {
    await this.certificates?.start()
  }

  addLink(link: Link): LinkRoutes {
    return this.#running.coordinator.addLink(link)
  }

  closePeer(key: NodePublicKey): void {
    void this.#workers?.coordinator.closePeer(key)
  }

  limitRate(limit: RateLimit | undefined): void {
    this.#running.coordinator.rateLimit = limit
  }

  limitTotalRate(bytesPerSecond: number): void {
    this.#running.coordinator.totalRate = bytesPerSecond
  }

  namesChanged(): void {
    this.#threads?.namesChanged()
  }

  setLogLevel(level: LogLevel): void {
    this.#threads?.setLogLevel(level)
  }

  stopListening(): void {
    this.#isEnding = true
    this.#workers?.stopListening()
    this.#port80?.stopListening()
  }

  async drain(options: DrainOptions): Promise<DrainResult> {
    this.#isEnding = true
    return (await this.#workers?.drain(options)) ?? EMPTY_DRAIN
  }

  async close(): Promise<void> {
    this.#isEnding = true
    this.#secrets.close()
    await Promise.all([this.certificates?.close(), this.#workers?.close(), this.#port80?.close()])
  }

  get #running(): Workers {
    if (this.#workers === undefined) throw new TypeError('use relay: workers not started')
    return this.#workers
  }

  #missingWorkers(): string | undefined {
    const { workers: wanted } = this.#parts.settings
    const there = this.#workers?.listening ?? 0
    return there < wanted ? `${there} of ${wanted} serve clients` : undefined
  }

  /** @throws DerpError naming the flag whose port cannot be bound. */
  async #startWorkers(wanted: WantedPort): Promise<void> {
    const threads = this.#createThreads()
    this.#threads = threads
    try {
      this.#workers = await Workers.start(this.#workersOptions(threads))
    } catch (error) {
      const { bindFailure: failure } = threads
      if (failure === undefined) throw error
      await bind(wanted, () => Promise.reject(Object.assign(new Error(failure.message), { code: failure.code })))
    }
  }

  #createThreads(): WorkerThreads {
    const { settings, privateKey, log, names } = this.#parts
    const parts = {
      settings: workerSettings(settings, privateKey),
      count: settings.workers,
      tally: this.#tally,
      readiness: this.readiness,
      names: () => ({ published: names.published?.known, unpublished: names.unpublished?.known }),
      log,
      logFormat: settings.log.format,
    }
    return new WorkerThreads(parts, this.#tls)
  }

  #workersOptions(threads: WorkerThreads): WorkersOptions {
    const { settings, log, admission, program } = this.#parts
    const { rateLimit, totalRate, maxClients = 0 } = settings.relay
    return {
      entry: WORKER_ENTRY,
      data: WORKER_MARK,
      count: settings.workers,
      clock: threadsClock,
      log,
      admission,
      maxClients,
      rateLimit,
      totalRate,
      http: this.#http,
      program: {
        ...program,
        connections: this.#limits.counters,
        certificates: () => this.certificates?.status(),
        readiness: this.readiness,
      },
      onThread: thread => threads.add(thread),
    }
  }

  #createPort80(): HttpListener {
    const { source, metrics, counters } = this.#running.coordinator
    const { readiness } = this
    const shown = { source, metrics, readiness, http: this.#http, clock: threadsClock, random: Math.random }
    return createPlainListener({
      ...this.#parts,
      secrets: this.#secrets,
      limits: this.#limits,
      counters,
      shown,
      challenges: this.#tls?.challenges,
    })
  }
}
