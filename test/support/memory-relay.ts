/** A relay core with in-memory connections and a fake clock. */

import { nodeAgreement } from '../../src/keys/node-box.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { AddressPort } from '../../src/lib/address-port.ts'
import type { RelayCoreOptions } from '../../src/server/options.ts'
import { RelayCore } from '../../src/server/relay-core.ts'
import type { AcceptOptions } from '../../src/server/server-login.ts'
import { memoryConnPair } from '../../src/transport/memory-conn.ts'
import { FakeClock } from './fake-clock.ts'
import { type LoginOptions, RawClient } from './raw-client.ts'

/** Default address of clients of a {@link MemoryRelay}. */
const CLIENT_ADDRESS: AddressPort = { address: '192.0.2.1', port: 4001 }

export class MemoryRelay {
  readonly clock: FakeClock
  readonly core: RelayCore

  constructor(options: Partial<RelayCoreOptions> = {}) {
    this.clock = new FakeClock()
    this.core = new RelayCore({
      privateKey: NodePrivateKey.generate(),
      agreement: nodeAgreement,
      clock: this.clock,
      random: () => 0,
      ...options,
    })
  }

  /** A connection that has not sent anything. */
  connect(options: AcceptOptions & { readonly address?: AddressPort } = {}): RawClient {
    const [client, server] = memoryConnPair({ clientAddress: options.address ?? CLIENT_ADDRESS })
    this.core.accept(server, options)
    return new RawClient(client)
  }

  /** A logged-in client. */
  async login(options: LoginOptions & AcceptOptions & { readonly address?: AddressPort } = {}): Promise<RawClient> {
    const client = this.connect(options)
    await client.login(options)
    return client
  }
}
