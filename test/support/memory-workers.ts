/**
 * A relay with several workers in one thread, connected by in-memory ports whose messages can be held back and delivered
 * in any order that threads could observe. Uses a fake clock.
 */

import { nodeAgreement } from '../../src/keys/node-box.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { AddressPort } from '../../src/lib/address-port.ts'
import { HttpCounters } from '../../src/metrics/http-counters.ts'
import type { RelayCoreOptions } from '../../src/server/options.ts'
import { RelayCore } from '../../src/server/relay-core.ts'
import type { AcceptOptions } from '../../src/server/server-login.ts'
import { memoryConnPair } from '../../src/transport/memory-conn.ts'
import type { Port, TransferHandle } from '../../src/workers/channel/port.ts'
import { Coordinator, type CoordinatorOptions } from '../../src/workers/coordinator/coordinator.ts'
import type { WorkerHandle } from '../../src/workers/coordinator/worker-handle.ts'
import type { BatchMemory } from '../../src/workers/link/link-batch.ts'
import { RelayWorker } from '../../src/workers/worker/relay-worker.ts'
import { FakeClock } from './fake-clock.ts'
import { type LoginOptions, RawClient } from './raw-client.ts'
import { settle } from './settle.ts'

/** Chooses which of the channels delivers next. */
export type Chooser = (channels: number) => number

/** Delivers one message per event loop turn, those of one channel in order. */
export class Courier {
  /** Holds back all messages while set. */
  isHeld = false
  /** Ports whose messages are held back. */
  readonly held: Set<MemoryPort> = new Set()
  readonly #choose: Chooser
  readonly #ready: MemoryPort[] = []
  #isRunning = false

  constructor(choose: Chooser = () => 0) {
    this.#choose = choose
  }

  /** Undelivered messages. */
  get waiting(): number {
    return this.#ready.length
  }

  /** A message was queued at the port. */
  announce(port: MemoryPort): void {
    this.#ready.push(port)
    this.#run()
  }

  /** A message of the port was delivered. */
  forget(port: MemoryPort): void {
    const at = this.#ready.indexOf(port)
    if (at !== -1) this.#ready.splice(at, 1)
  }

  release(): void {
    this.isHeld = false
    this.held.clear()
    this.#run()
  }

  #run(): void {
    if (this.#isRunning) return
    this.#isRunning = true
    setImmediate(() => {
      this.#isRunning = false
      const ports = this.isHeld ? [] : [...new Set(this.#ready)].filter(port => !this.held.has(port))
      if (ports.length === 0) return
      ports[this.#choose(ports.length)]?.deliver()
      this.#run()
    })
  }
}

/** One end of an in-memory channel. Messages are cloned as between threads. */
export class MemoryPort implements Port<unknown, never> {
  readonly #courier: Courier
  readonly #inbox: unknown[] = []
  #peer: MemoryPort | undefined
  #handler: ((message: never) => void) | undefined
  #isClosed = false

  constructor(courier: Courier) {
    this.#courier = courier
  }

  static pair(courier: Courier): [MemoryPort, MemoryPort] {
    const [a, b] = [new MemoryPort(courier), new MemoryPort(courier)]
    a.#peer = b
    b.#peer = a
    return [a, b]
  }

  post(message: unknown, handed: readonly TransferHandle[] = []): void {
    const peer = this.#peer
    if (peer === undefined || peer.#isClosed || this.#isClosed) return
    peer.#inbox.push(cloned(message, handed))
    if (peer.#handler !== undefined) this.#courier.announce(peer)
  }

  open(handler: (message: never) => void): void {
    this.#handler = handler
    for (const _ of this.#inbox) this.#courier.announce(this)
  }

  drain(): void {
    while (this.#inbox.length > 0) this.deliver()
  }

  close(): void {
    this.#isClosed = true
    while (this.#inbox.length > 0) this.#take()
  }

  /** Delivers the next message. */
  deliver(): void {
    const message = this.#take()
    if (message !== undefined) this.#handler?.(message as never)
  }

  #take(): unknown {
    this.#courier.forget(this)
    return this.#inbox.shift()
  }
}

/** Channel ends are transferred, not cloned. */
function cloned(message: unknown, handed: readonly TransferHandle[]): unknown {
  const memory = handed.filter(one => one instanceof ArrayBuffer)
  const ports = handed.filter(one => one instanceof MemoryPort)
  if (ports.length === 0) return structuredClone(message, { transfer: memory })
  const { messages, ...rest } = message as { messages: { port?: unknown }[] }
  return {
    ...structuredClone(rest),
    messages: messages.map(({ port, ...one }) => ({ ...structuredClone(one), ...(port !== undefined && { port }) })),
  }
}

const memory: BatchMemory = {
  allocate: bytes => new ArrayBuffer(bytes),
  view: buffer => new Uint8Array(buffer),
}

/** One worker. */
export interface MemoryPart {
  readonly handle: WorkerHandle
  readonly part: RelayWorker
  readonly core: RelayCore
  /** Receives messages from the coordinator. */
  readonly port: MemoryPort
  /** Receives its messages at the coordinator. */
  readonly coordinatorPort: MemoryPort
  /** All its ports. */
  readonly ports: MemoryPort[]
}

export interface MemoryWorkersOptions extends Partial<RelayCoreOptions> {
  readonly workers?: number
  readonly choose?: Chooser
  readonly program?: CoordinatorOptions['program']
}

export class MemoryWorkers {
  readonly clock: FakeClock = new FakeClock()
  readonly courier: Courier
  readonly coordinator: Coordinator
  readonly parts: MemoryPart[] = []
  readonly #options: MemoryWorkersOptions
  readonly #privateKey: NodePrivateKey

  private constructor(options: MemoryWorkersOptions) {
    this.#options = options
    this.#privateKey = options.privateKey ?? NodePrivateKey.generate()
    this.courier = new Courier(options.choose)
    const { admission, maxClients, rateLimit, program } = options
    this.coordinator = new Coordinator({
      clock: this.clock,
      admission,
      ...(maxClients !== undefined && { maxClients }),
      rateLimit,
      ...(program !== undefined && { program }),
      memory,
      createChannel: () => MemoryPort.pair(this.courier),
      openLink: asPort,
    })
  }

  /** Two listening workers by default. */
  static async start(options: MemoryWorkersOptions = {}): Promise<MemoryWorkers> {
    const workers = new MemoryWorkers(options)
    for (let n = 0; n < (options.workers ?? 2); n++) await workers.addWorker()
    return workers
  }

  /** Starts another worker; resolves once it listens. */
  addWorker(): Promise<MemoryPart> {
    const [workerEnd, ownEnd] = MemoryPort.pair(this.courier)
    return new Promise(resolve => {
      const handle = this.coordinator.addWorker(ownEnd, { onListening: () => resolve(added) })
      const ports = [workerEnd]
      const openLink = (end: TransferHandle) => {
        const port = memoryPortOf(end)
        ports.push(port)
        return asPort(port)
      }
      const part = new RelayWorker({ worker: handle.number, port: workerEnd, openLink, memory })
      const { admission: _admission, rateLimit: _rateLimit, ...options } = this.#options
      const core = new RelayCore(
        {
          agreement: nodeAgreement,
          random: () => 0,
          ...options,
          privateKey: this.#privateKey,
          clock: this.clock,
          admission: part.admission,
        },
        part.createDirectory,
      )
      const added = { handle, part, core, port: workerEnd, coordinatorPort: ownEnd, ports }
      this.parts.push(added)
      part.run({ core, http: new HttpCounters(), listen: async () => {}, stopListening() {}, close: async () => {} })
    })
  }

  /** Ends a worker abruptly, like a crash. */
  crash(worker: number): void {
    const [gone] = this.parts.splice(worker, 1)
    if (gone === undefined) throw new Error(`crash worker ${worker}: no such worker`)
    for (const port of gone.ports) port.close()
    this.coordinator.removeWorker(gone.handle)
    gone.core.close()
  }

  core(worker: number): RelayCore {
    const part = this.parts[worker]
    if (part === undefined) throw new Error(`use worker ${worker}: no such worker`)
    return part.core
  }

  /** A connection to a worker that has not sent anything. */
  connect(worker: number, options: AcceptOptions & { readonly address?: AddressPort } = {}): RawClient {
    const [client, server] = memoryConnPair({ clientAddress: options.address ?? { address: '192.0.2.1', port: 4001 } })
    this.core(worker).accept(server, options)
    return new RawClient(client)
  }

  /** A logged-in client of a worker. */
  async login(worker: number, options: LoginOptions & AcceptOptions = {}): Promise<RawClient> {
    const client = this.connect(worker, options)
    await client.login(options)
    return client
  }
}

/** Waits until all messages between workers, and those they cause, have been delivered. */
export async function atRest({ courier }: MemoryWorkers): Promise<void> {
  for (let quiet = 0; quiet < 5; quiet++) {
    await settle(1)
    if (courier.waiting > 0) quiet = -1
  }
}

function memoryPortOf(end: TransferHandle): MemoryPort {
  if (!(end instanceof MemoryPort)) throw new Error('open link: not an in-memory port')
  return end
}

function asPort(end: TransferHandle): Port<ArrayBuffer, ArrayBuffer> {
  return memoryPortOf(end) as Port<never, never> as Port<ArrayBuffer, ArrayBuffer>
}
