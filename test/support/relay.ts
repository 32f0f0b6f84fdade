/** A relay core over connections in memory, and clients of it. */

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

/** Computes at once, so that a login takes microtasks only. */
export const testAgreement: KeyAgreement = nodeAgreement

/** A {@link RelayCore} to which everything in one test connects. */
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

  /** A fresh connection, accepted by the relay; the client's end. */
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

  /** A client that the relay knows: its ServerInfo has been received. */
  async readyClient(options: Parameters<TestRelay['client']>[0] = {}): Promise<Client> {
    const client = this.client(options)
    await nextMessage(client, 'serverInfo')
    return client
  }
}

/** A transport that takes its connections from a function, and remembers them. */
export class MemoryTransport implements ClientTransport {
  /** All connections so far, the client's ends. */
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

/** The next message that is of `type`; others are passed over. */
export async function nextMessage<T extends ReceivedMessage['type']>(
  client: { recv(): Promise<ReceivedMessage> },
  type: T,
): Promise<Extract<ReceivedMessage, { type: T }>> {
  for (;;) {
    const message = await client.recv()
    if (message.type === type) return message as Extract<ReceivedMessage, { type: T }>
  }
}
