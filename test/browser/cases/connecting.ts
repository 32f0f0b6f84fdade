/** Connecting, failing to, and connecting again. */

import {
  Client,
  NodePrivateKey,
  parseDerpMap,
  RegionClient,
  ResilientClient,
  ResilientRegionClient,
} from '../../../src/entries/browser.ts'
import { assert, assertSame, type ClientCase, nextMessage, readyClient, rejectionOf, tellProxy } from './case.ts'

/** Nothing listens there. */
const CLOSED_PORT = 1

function regionOf(...ports: readonly number[]) {
  const Nodes = ports.map((DERPPort, at) => ({ Name: `node${at}`, HostName: '127.0.0.1', DERPPort }))
  return parseDerpMap({ Regions: { 900: { Nodes } } })
}

/** Resolves when the client is connected no longer. */
function leftConnected(client: ResilientClient<string>): Promise<void> {
  return new Promise(resolve => {
    const stop = client.events.on('state', ({ state }) => {
      if (state === 'connected') return
      stop()
      resolve()
    })
  })
}

export const CONNECTING: readonly ClientCase[] = [
  {
    name: 'a client is let in and learns the relay’s key (P-154)',
    async run({ url }) {
      await using client = await readyClient(url)
      assertSame(client.serverPublicKey()?.isZero(), false, 'the key of the relay')
      assertSame(client.connectedState().connected, true, 'connected')
    },
  },
  {
    name: 'a token is offered beside the sub-protocol, and no harm where nobody asks for one (P-155)',
    async run({ url }) {
      await using client = await readyClient(url, { token: 'a/token+0123456789==', subProtocols: ['other'] })
      assertSame(client.connectedState().connected, true, 'connected')
    },
  },
  {
    name: 'a port that is closed fails the dial, an attempt ends with its signal (P-202)',
    async run({ url }) {
      const key = await NodePrivateKey.generate()
      const failed = await rejectionOf(new Client(key, `http://127.0.0.1:${CLOSED_PORT}/derp`).connect())
      assertSame(failed.code, 'ERR_DERP_DIAL_FAILED', 'code of the dial')
      // Deno has 0 where others have 1006.
      assert(/closed with code (?:1006|0):/.test(failed.message), failed.message)
      const aborted = await rejectionOf(new Client(key, url).connect(AbortSignal.abort()))
      assertSame(aborted.code, 'ERR_DERP_ABORTED', 'code of what was aborted')
    },
  },
  {
    name: 'a client whose connection is cut says so once, and connects again at the next call (P-206)',
    async run(environment) {
      await using client = await readyClient(environment.proxiedUrl)
      const received = rejectionOf(client.recv())
      await tellProxy(environment, 'spoil?fault=cut')
      const { code } = await received
      assertSame(code, 'ERR_DERP_CONN_CLOSED', 'code of the lost connection')
      const { connectionGeneration } = await client.recvDetail()
      assertSame(connectionGeneration, 2, 'number of the connection')
    },
  },
  {
    name: 'a region client goes on to the next node (P-154)',
    async run({ url }) {
      const map = regionOf(CLOSED_PORT, Number(new URL(url).port))
      const options = { useHttp: true }
      await using client = new RegionClient(await NodePrivateKey.generate(), () => map.Regions?.[900], options)
      await nextMessage(client, 'serverInfo')
      assertSame(client.connectedNode()?.Name, 'node1', 'the connected node')
    },
  },
  {
    name: 'a resilient client goes on to the next relay, and comes back after cuts and resets',
    async run(environment) {
      const key = await NodePrivateKey.generate()
      await using client = new ResilientClient({
        targets: [`http://127.0.0.1:${CLOSED_PORT}/derp`, environment.proxiedUrl],
        createClient: url => new Client(key, url),
        backoffMinMs: 20,
      })
      await client.connect()
      for (const fault of ['cut', 'reset', 'cut']) {
        const lost = leftConnected(client)
        await tellProxy(environment, `spoil?fault=${fault}`)
        await lost
        await client.connect()
      }
      await using peer = await readyClient(environment.url)
      await peer.send(key.publicKey(), Uint8Array.of(7))
      assertSame([...(await nextMessage(client, 'receivedPacket')).data], [7], 'the packet')
    },
  },
  {
    name: 'a resilient client of a region connects over WebSocket',
    async run({ url }) {
      const key = await NodePrivateKey.generate()
      await using client = new ResilientRegionClient({
        map: regionOf(Number(new URL(url).port)),
        regionId: 900,
        createClient: getRegion => new RegionClient(key, getRegion, { useHttp: true }),
      })
      await client.connect()
      assertSame(client.state, 'connected', 'state')
    },
  },
]
