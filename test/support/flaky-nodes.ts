/** Relays that fail as a test says, and a resilient client of them, in one made-up time. */

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

/** A connection that can be cut off without either end noticing. */
export class MutableConn implements Conn {
  /** Whether nothing comes through any more, in either direction. */
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

/** What a node does with each connection. */
export type Behaviour = () => Promise<Conn> | Conn

/** A good relay. */
export const goodRelay =
  (relay: TestRelay): Behaviour =>
  () =>
    relay.connect()

/** Nothing listens there. */
export const refusing: Behaviour = () => {
  throw new Error('connection refused')
}

/** Takes connections and says nothing. */
export const silent: Behaviour = () => memoryConnPair()[0]

/** A relay that is played by `play`, and logs each client in first unless that is left out. */
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
    // A client that hangs up in the middle of it is nobody's concern.
    begin().catch(() => {})
    return client
  }
}

/** A relay that logs each client in, says something, and closes. */
export const hangingUp = (...messages: readonly ServerToClient[]): Behaviour =>
  scripted(async relay => {
    relay.say(...messages)
    await settle()
    relay.conn.end()
  })

/** A relay that closes when it has heard who the client is. */
export const denying: Behaviour = scripted(
  async relay => {
    relay.greet()
    await relay.hello()
    relay.conn.end()
  },
  { login: false },
)

/** A client of nodes `a`, `b`, … that behave as given, and a record of what it does. */
export class FlakySetup {
  readonly clock: FakeClock = new FakeClock()
  readonly relay: TestRelay
  readonly client: ResilientClient<string>
  /** `state/reason@node`. */
  readonly states: string[] = []
  readonly dials: { readonly node: string; readonly atMs: number }[] = []
  /** Connections so far; the last is the one in use. */
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
      // Delays are the least there may be: half of the most.
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

  /** Receives for ever, so that nothing waits for a receiver; messages are kept. */
  receive(): { readonly messages: string[]; readonly over: Promise<unknown> } {
    const messages: string[] = []
    const loop = async () => {
      for await (const { type } of this.client) messages.push(type)
    }
    return { messages, over: loop().catch(error => error) }
  }

  /** Lets time pass, in steps small enough for everybody to act in between. */
  async pass(ms: number, stepMs = 250): Promise<void> {
    await settle()
    for (let passed = 0; passed < ms; passed += stepMs) {
      this.clock.advance(Math.min(stepMs, ms - passed))
      await settle()
    }
  }

  /** The states since the last time. */
  takeStates(): string[] {
    return this.states.splice(0)
  }

  /** Cuts the connection in use off, without telling anybody. */
  mute(): void {
    const conn = this.conns.at(-1)
    if (conn !== undefined) conn.isMute = true
  }
}
