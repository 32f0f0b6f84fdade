/** Our relays on the pinned Bun in a region over a NATS server, each in its own process, with TLS. */

import { join } from 'node:path'
import { type NatsServer, startNatsServer } from '../../test/support/nats-server.ts'
import { type Program, startProgram } from '../../test/support/process.ts'
import { freePort } from '../../test/support/relays.ts'
import { served } from '../../test/support/served.ts'
import type { Identity } from '../contender.ts'
import { ourRelayOnBun } from '../contenders.ts'

const HOSTNAME = 'localhost'

/** A relay of the region, which can be killed and started again at the same address. */
export class RegionRelayProcess {
  readonly url: string
  readonly #args: readonly string[]
  readonly #env: Readonly<Record<string, string>>
  #program: Program | undefined

  constructor(port: number, identity: Identity, natsUrl: string) {
    this.url = `https://${HOSTNAME}:${port}/derp`
    const { args } = ourRelayOnBun()
    const listen = ['-a', `127.0.0.1:${port}`, '-c', join(identity.directory, `region.${port}.json`)]
    const tls = ['-hostname', HOSTNAME, '-certmode', 'manual', '-certdir', identity.directory]
    const region = ['-region', 'bench', '-nats', natsUrl, '-mesh-psk-file', identity.meshKeyFile]
    this.#args = [...args, ...listen, '-http-port', '-1', '-stun=false', ...tls, ...region, '-drain-time', '0s']
    this.#env = { SSL_CERT_FILE: identity.caFile, NODE_EXTRA_CA_CERTS: identity.caFile }
  }

  get pid(): number {
    return this.#running.child.pid as number
  }

  /** Resolves to the milliseconds until it has joined. */
  async start(): Promise<number> {
    const beganAtMs = performance.now()
    this.#program = await startProgram(ourRelayOnBun().command, this.#args, { env: this.#env })
    await served(this.#program)
    return performance.now() - beganAtMs
  }

  /** Resolves once it has met so many others. */
  async met(others: number): Promise<void> {
    if (others > 0) await this.#running.stderrMatch(new RegExp(`(?:relay has joined the region[\\s\\S]*){${others}}`))
  }

  kill(): Promise<void> {
    return this.#running.stop('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#program?.stop()
  }

  get #running(): Program {
    if (this.#program === undefined) throw new Error(`use relay ${this.url}: it has not been started`)
    return this.#program
  }
}

export class BenchRegion {
  readonly nats: NatsServer
  readonly relays: readonly RegionRelayProcess[]

  private constructor(nats: NatsServer, relays: readonly RegionRelayProcess[]) {
    this.nats = nats
    this.relays = relays
  }

  /** Starts NATS and so many relays; resolves once they know each other. */
  static async start(count: number, identity: Identity): Promise<BenchRegion> {
    const nats = await startNatsServer()
    const ports: number[] = []
    while (ports.length < count) ports.push(await freePort())
    const region = new BenchRegion(
      nats,
      ports.map(port => new RegionRelayProcess(port, identity, nats.url)),
    )
    try {
      await Promise.all(region.relays.map(relay => relay.start()))
      await region.met()
      return region
    } catch (error) {
      await region.stop()
      throw error
    }
  }

  get natsPid(): number {
    return this.nats.program.child.pid as number
  }

  async met(): Promise<void> {
    await Promise.all(this.relays.map(relay => relay.met(this.relays.length - 1)))
  }

  async stop(): Promise<void> {
    await Promise.all(this.relays.map(relay => relay.stop()))
    await this.nats.stop()
  }
}
