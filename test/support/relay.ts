/** A relay core with in-memory connections, and its clients. */

import { Client } from '../../src/client/client.ts'
import type { ClientOptions } from '../../src/client/options.ts'
import type { ClientTransport, DialRequest } from '../../src/client/ports.ts'
import type { KeyAgreement } from '../../src/keys/box.ts'
import { nodeAgreement } from '../../src/keys/node-box.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { ReceivedMessage } from '../../src/protocol/messages.ts'
import type { RelayCoreOptions } from '../../src/server/options.ts'
import { RelayCore } from '../../src/server/relay-core.ts'
import { type MemoryConn, memoryConnPair } from '../../src/transport/memory-conn.ts'
import { FakeClock } from './fake-clock.ts'

/** Synchronous, so that a login only takes microtasks. */
export const testAgreement: KeyAgreement = nodeAgreement

/** The {@link RelayCore} of a test. */
export class TestRelay {
  readonly clock: FakeClock
  readonly core: RelayCore
  #ports = 50_000

  constructor(options: Partial<RelayCoreOptions> & { readonly clock?: FakeClock } = {}) {
    this.clock = options.clock ?? new FakeClock()
    this.core = new RelayCore({
      privateKey: NodePrivateKey.generate(),
      agreement: testAgreement,
      random: () => 0,
      ...options,
      clock: this.clock,
    })
  }

  /** The client end of a new connection to the relay. */
  connect(): MemoryConn {
    const [client, server] = memoryConnPair({
      clientAddress: { address: '192.0.2.1', port: this.#ports++ },
      serverAddress: { address: '192.0.2.255', port: 80 },
    })
    this.core.accept(server)
    return client
  }

  /** A client that has not connected yet. */
  client(options: Partial<ClientOptions> & { readonly privateKey?: NodePrivateKey } = {}): Client {
    const privateKey = options.privateKey ?? NodePrivateKey.generate()
    return new Client(privateKey, 'http://relay.test/derp', {
      transport: new MemoryTransport(() => this.connect()),
      agreement: testAgreement,
      clock: this.clock,
      ...options,
    })
  }

  /** A client that has received ServerInfo. */
  async readyClient(options: Parameters<TestRelay['client']>[0] = {}): Promise<Client> {
    const client = this.client(options)
    await nextMessage(client, 'serverInfo')
    return client
  }
}

/** A transport that gets its connections from a function, and records them. */
export class MemoryTransport implements ClientTransport {
  /** Client ends of all connections so far. */
  readonly conns: MemoryConn[] = []
  readonly #connect: () => MemoryConn

  constructor(connect: () => MemoryConn) {
    this.#connect = connect
  }

  async dial(_request: DialRequest): Promise<{ conn: MemoryConn }> {
    const conn = this.#connect()
    this.conns.push(conn)
    return { conn }
  }
}

/** The next message of `type`; skips others. */
export async function nextMessage<T extends ReceivedMessage['type']>(
  client: { recv(): Promise<ReceivedMessage> },
  type: T,
): Promise<Extract<ReceivedMessage, { type: T }>> {
  for (;;) {
    const message = await client.recv()
    if (message.type === type) return message as Extract<ReceivedMessage, { type: T }>
  }
}
