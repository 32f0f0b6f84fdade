/** A region of two relays in memory, linked to each other or not, and the ports by which probes reach them. */

import { randomBytes } from 'node:crypto'
import type { DERPMap, DERPNode } from '../../src/derpmap/types.ts'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { silentLog } from '../../src/lib/log.ts'
import { MeshLink } from '../../src/mesh/mesh-link.ts'
import type { ConnectRequest, MonitorPorts, ProbeClient } from '../../src/monitor/ports.ts'
import { FakeClock } from './fake-clock.ts'
import { MemoryTransport, nextMessage, TestRelay } from './relay.ts'
import { until } from './settle.ts'

const meshKey = MeshKey.parse('ab'.repeat(32))
const nodeOf = (Name: string, IPv4: string): DERPNode => ({ Name, RegionID: 1, HostName: `${Name}.test`, IPv4 })

export class MonitorRegion {
  readonly clock: FakeClock = new FakeClock()
  readonly relays: ReadonlyMap<string, TestRelay>
  readonly a: DERPNode = nodeOf('1a', '192.0.2.1')
  readonly b: DERPNode = nodeOf('1b', '192.0.2.2')
  readonly map: DERPMap = {
    Regions: { 1: { RegionID: 1, RegionCode: 'lab', RegionName: 'Lab', Nodes: [this.a, this.b] } },
  }
  /** All connections so far. */
  readonly requests: ConnectRequest[] = []
  /** How many clients are connected. */
  open = 0

  constructor() {
    const relay = () => new TestRelay({ clock: this.clock, meshKey })
    this.relays = new Map([
      ['1a', relay()],
      ['1b', relay()],
    ])
  }

  relay(name: string): TestRelay {
    const relay = this.relays.get(name)
    if (relay === undefined) throw new Error(`find relay ${name}: nothing listens`)
    return relay
  }

  /** Links both relays to each other. */
  async mesh(): Promise<void> {
    const [a, b] = [this.relay('1a'), this.relay('1b')]
    const links = [this.#link(a, b), this.#link(b, a)]
    for (const link of links) void link.run()
    await until(() => links.every(({ snapshot }) => snapshot.state === 'up'), 'the links are up')
  }

  #link(from: TestRelay, to: TestRelay): MeshLink {
    const { privateKey } = from.core.options
    const transport = new MemoryTransport(() => to.connect())
    const client = to.client({ privateKey, meshKey, watchConnectionChanges: true, transport })
    const { clock } = this
    const ports = {
      table: from.core,
      ownKey: from.core.publicKey,
      clock,
      log: silentLog,
      random: () => 0.5,
      maxClients: 0,
    }
    return new MeshLink('peer', client, ports)
  }

  /** Ports with what these tests do not touch standing still. */
  get ports(): MonitorPorts {
    const untouched = () => Promise.reject(new Error('not in this test'))
    return {
      clock: this.clock,
      log: silentLog,
      fetchMap: async () => ({ map: this.map, problem: undefined }),
      handshake: untouched,
      checkRevocation: untouched,
      askStun: untouched,
      connect: request => this.connect(request),
      randomBytes: length => new Uint8Array(randomBytes(length)),
    }
  }

  async connect(request: ConnectRequest): Promise<ProbeClient> {
    this.requests.push(request)
    const client = this.relay(request.node.Name).client({ isProber: request.isProber })
    await nextMessage(client, 'serverInfo')
    this.open++
    return {
      selfPublicKey: () => client.selfPublicKey(),
      send: (...args) => client.send(...args),
      recv: signal => client.recv(signal),
      close: () => {
        this.open--
        return client.close()
      },
    }
  }
}
