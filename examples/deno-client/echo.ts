/** A peer that sends back whatever it receives, on Deno. */

import { Client, ErrClientClosed, isDerpError, NodePrivateKey, ResilientClient } from 'derphttp'

async function echo(relay: string): Promise<void> {
  const privateKey = NodePrivateKey.generate()
  const client = new ResilientClient({ targets: [relay], createClient: target => new Client(privateKey, target) })
  client.events.on('state', ({ state, error }) => {
    if (state === 'waiting') console.error(`no connection, trying again: ${error?.message}`)
  })
  Deno.addSignalListener('SIGINT', () => void client[Symbol.asyncDispose]())
  await client.connect()
  console.log(`key: ${privateKey.publicKey()}`)
  for await (const message of client) {
    if (message.type !== 'receivedPacket') continue
    console.log(`${message.data.length} bytes from ${message.source}`)
    try {
      await client.send(message.source, message.data)
    } catch (error) {
      console.error(`not sent back: ${(error as Error).message}`)
    }
  }
}

const [relay] = Deno.args
if (relay === undefined) {
  console.error('usage: deno run --allow-net echo.ts RELAY')
  Deno.exit(2)
}
try {
  await echo(relay)
} catch (error) {
  // Ctrl-C closes the client.
  if (!isDerpError(error, ErrClientClosed)) {
    console.error((error as Error).message)
    Deno.exitCode = 1
  }
}
