/** A chat between two terminals through a relay, end-to-end encrypted: the relay sees who talks to whom, but not what. */

import { createInterface } from 'node:readline'
import { Client, ErrClientClosed, isDerpError, NodePrivateKey, NodePublicKey, ResilientClient } from 'derphttp'
import { openBox, portableAgreement, sealBox } from 'derphttp/protocol'

interface Peer {
  readonly key: NodePublicKey
  /** Of NaCl box, between their key and ours. */
  readonly boxKey: Uint8Array
}

const privateKey = NodePrivateKey.generate()

async function meet(key: NodePublicKey): Promise<Peer> {
  return { key, boxKey: await portableAgreement.agree(privateKey, key) }
}

/** Ends when the client is closed. @param invitedBy the other's key; the one who has none waits for whoever comes first. */
async function chat(relay: string, invitedBy: string | undefined): Promise<void> {
  let peer = invitedBy === undefined ? undefined : await meet(NodePublicKey.parse(invitedBy))
  const client = new ResilientClient({ targets: [relay], createClient: target => new Client(privateKey, target) })
  client.events.on('state', ({ state, error }) => {
    if (state === 'waiting') console.error(`no connection, trying again: ${error?.message}`)
  })

  const say = async (text: string) => {
    if (peer === undefined) throw new Error('nobody has come yet')
    await client.send(peer.key, sealBox(peer.boxKey, new TextEncoder().encode(text)))
  }
  // One after the other; the end of the input waits for the last.
  let said = Promise.resolve()
  const complain = (error: Error) => console.error(`not sent: ${error.message}`)
  const leave = () => void client[Symbol.asyncDispose]()
  const lines = createInterface({ input: process.stdin })
  lines.on('line', text => {
    said = said.then(() => say(text)).catch(complain)
  })
  lines.once('close', () => void said.then(leave))
  process.once('SIGINT', leave)

  try {
    await client.connect()
    if (peer === undefined) console.error(`Ask somebody to run: node chat.ts ${relay} ${privateKey.publicKey()}`)
    else await say('hello')
    for await (const message of client) {
      if (message.type === 'peerGone' && peer?.key.equals(message.peer)) console.error('They have left.')
      if (message.type !== 'receivedPacket') continue
      if (peer !== undefined && !peer.key.equals(message.source)) continue
      // Anyone who knows the key can come: the first is the one to talk to.
      const sender = peer ?? (await meet(message.source))
      const opened = openBox(sender.boxKey, message.data)
      if (opened === undefined) continue
      peer = sender
      console.log(`> ${new TextDecoder().decode(opened)}`)
    }
  } catch (error) {
    if (!isDerpError(error, ErrClientClosed)) throw error
  } finally {
    leave()
    lines.close()
  }
}

const [relay, invitedBy] = process.argv.slice(2)
if (relay === undefined) {
  console.error('usage: node chat.ts RELAY [KEY]')
  process.exitCode = 2
} else {
  await chat(relay, invitedBy).catch((error: Error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
