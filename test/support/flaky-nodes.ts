/** Scripted failing relays and a resilient client of them, on one fake clock. */

import { Client } from '../../src/client/client.ts'
import { ResilientClient } from '../../src/client/resilient/resilient-client.ts'
import type { ResilientClientOptions } from '../../src/client/resilient/resilient-options.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { AddressPort } from '../../src/lib/address-port.ts'
import type { ServerToClient } from '../../src/protocol/messages.ts'
import type { Conn, ConnHandler } from '../../src/transport/conn.ts'
import { memoryConnPair } from '../../src/transport/memory-conn.ts'
import { FakeClock } from './fake-clock.ts'
import { TestRelay, testAgreement } from './relay.ts'
import { ScriptedRelay } from './scripted-relay.ts'
import { settle } from './settle.ts'

/** A connection that can be cut without either end noticing. */
export class MutableConn implements Conn {
  /** Whether data is discarded in both directions. */
  isMute = false
  readonly #inner: Conn

  constructor(inner: Conn) {
    this.#inner = inner
  }

  get local(): AddressPort | undefined {
    return this.#inner.local
  }

  get remote(): AddressPort | undefined {
    return this.#inner.remote
  }

  open(handler: ConnHandler): void {
    this.#inner.open({
      onData: chunk => this.isMute || handler.onData(chunk),
      onClose: error => handler.onClose(error),
    })
  }

  write(chunks: readonly Uint8Array[], done: (error?: Error) => void): void {
    if (this.isMute) queueMicrotask(() => done())
    else this.#inner.write(chunks, done)
  }

  pause(): void {
    this.#inner.pause()
  }

  resume(): void {
    this.#inner.resume()
  }

  destroy(): void {
    this.#inner.destroy()
  }

  end(): void {
    this.#inner.end()
  }
}

/** How a node handles each connection. */
export type Behaviour = () => Promise<Conn> | Conn

/** A working relay. */
export const goodRelay =
  (relay: TestRelay): Behaviour =>
  () =>
    relay.connect()

/** Refuses connections. */
export const refusing: Behaviour = () => {
  throw new Error('connection refused')
}

/** Accepts connections and sends nothing. */
export const silent: Behaviour = () => memoryConnPair()[0]

/** A relay scripted by `play`; logs each client in first unless told not to. */
export function scripted(
  play: (relay: ScriptedRelay) => void | Promise<void>,
  options: { readonly login: boolean } = { login: true },
): Behaviour {
  const privateKey = NodePrivateKey.generate()
  return () => {
    const [client, server] = memoryConnPair()
    const relay = new ScriptedRelay(server, privateKey)
    const begin = async () => {
      if (options.login) await relay.login()
      await play(relay)
    }
    // The client may close in between.
    begin().catch(() => {})
    return client
  }
}

/** A relay that logs each client in, sends messages, and closes. */
export const hangingUp = (...messages: readonly ServerToClient[]): Behaviour =>
  scripted(async relay => {
    relay.say(...messages)
    await settle()
    relay.conn.end()
  })

/** A relay that closes after ClientInfo. */
export const denying: Behaviour = scripted(
  async relay => {
    relay.greet()
    await relay.hello()
    relay.conn.end()
  },
  { login: false },
)

/** A client of nodes `a`, `b`, … with the given behaviours, and a record of its states. */
export class FlakySetup {
  readonly clock: FakeClock = new FakeClock()
  readonly relay: TestRelay
  readonly client: ResilientClient<string>
  /** `state/reason@node`. */
  readonly states: string[] = []
  readonly dials: { readonly node: string; readonly atMs: number }[] = []
  /** Connections so far; the last is the current one. */
  readonly conns: MutableConn[] = []
  readonly #behaviours = new Map<string, Behaviour>()

  constructor(
    nodes: Readonly<Record<string, Behaviour | 'good'>>,
    options: Partial<ResilientClientOptions<string>> & { readonly privateKey?: NodePrivateKey } = {},
  ) {
    this.relay = new TestRelay({ clock: this.clock })
    for (const [node, behaviour] of Object.entries(nodes)) this.behave(node, behaviour)
    const { privateKey = NodePrivateKey.generate(), ...rest } = options
    this.client = new ResilientClient({
      targets: Object.keys(nodes),
      createClient: node => this.createClient(node, privateKey),
      clock: this.clock,
      // Minimum delays: half of the maximum.
      random: () => 0,
      ...rest,
    })
    this.client.events.on('state', ({ state, reason, node }) => this.states.push(`${state}/${reason}@${node ?? ''}`))
  }

  behave(node: string, behaviour: Behaviour | 'good'): void {
    this.#behaviours.set(node, behaviour === 'good' ? goodRelay(this.relay) : behaviour)
  }

  createClient(node: string, privateKey: NodePrivateKey): Client {
    const dial = async () => {
      this.dials.push({ node, atMs: this.clock.now() })
      const conn = new MutableConn(await (this.#behaviours.get(node) ?? refusing)())
      this.conns.push(conn)
      return { conn }
    }
    return new Client(privateKey, `http://${node}.test/derp`, {
      transport: { dial },
      agreement: testAgreement,
      clock: this.clock,
    })
  }

  /** Receives continuously, and records the messages. */
  receive(): { readonly messages: string[]; readonly over: Promise<unknown> } {
    const messages: string[] = []
    const loop = async () => {
      for await (const { type } of this.client) messages.push(type)
    }
    return { messages, over: loop().catch(error => error) }
  }

  /** Advances time in steps small enough for everything to act in between. */
  async pass(ms: number, stepMs = 250): Promise<void> {
    await settle()
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed))
      await settle()
    }
  }

  /** States since the last call. */
  takeStates(): string[] {
    return this.states.splice(0)
  }

  /** Silently cuts the current connection. */
  mute(): void {
    const conn = this.conns.at(-1)
    if (conn !== undefined) conn.isMute = true
  }
}
