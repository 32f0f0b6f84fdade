/** Measures how long packets take to a peer that sends them back, and back again, on Bun. */

import { Client, NodePrivateKey, NodePublicKey } from 'derphttp'

const COUNT = 10
const TIMEOUT_MS = 1_000

/** Resolves to the milliseconds that the packet was on the way; undefined if it has not come back. */
async function ping(client: Client, peer: NodePublicKey, number: number): Promise<number | undefined> {
  const startNs = Bun.nanoseconds()
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  await client.send(peer, Uint8Array.of(number), signal)
  try {
    for (;;) {
      const message = await client.recv(signal)
      // One that was late is not taken for this one.
      if (message.type !== 'receivedPacket' || !message.source.equals(peer) || message.data[0] !== number) continue
      return (Bun.nanoseconds() - startNs) / 1e6
    }
  } catch (error) {
    if (signal.aborted) return undefined
    throw error
  }
}

const [relay, key] = Bun.argv.slice(2)
if (relay === undefined || key === undefined) {
  console.error('usage: bun ping.ts RELAY KEY')
  process.exit(2)
}
const client = new Client(NodePrivateKey.generate(), relay)
try {
  const peer = NodePublicKey.parse(key)
  const times: number[] = []
  for (let number = 0; number < COUNT; number++) {
    const ms = await ping(client, peer, number)
    console.log(ms === undefined ? `${number}: lost` : `${number}: ${ms.toFixed(2)} ms`)
    if (ms !== undefined) times.push(ms)
    await Bun.sleep(100)
  }
  const median = times.toSorted((a, b) => a - b)[times.length >> 1]
  console.log(`${COUNT} sent, ${times.length} came back, median ${median?.toFixed(2) ?? '-'} ms`)
  if (median === undefined) process.exitCode = 1
} catch (error) {
  console.error((error as Error).message)
  process.exitCode = 1
} finally {
  await client.close()
}
