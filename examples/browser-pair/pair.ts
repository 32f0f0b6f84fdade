/** Two tabs that meet by a link and exchange texts as NaCl boxes: the relay sees who talks to whom, but not what. */

import { Client, NodePrivateKey, NodePublicKey, ResilientClient } from 'derphttp/browser'
import { openBox, portableAgreement, sealBox } from 'derphttp/protocol'

export interface Talk {
  /** For the other tab; the part after `#` is sent to no server. Empty in the tab that followed it. */
  readonly link: string
  /** Rejects until the other tab has come. */
  readonly send: (text: string) => Promise<void>
  readonly close: () => void
}

/** Begins a conversation, or joins that of the link. @param onProblem called with why there is no connection. */
export async function talk(
  relay: string,
  address: URL,
  onText: (text: string) => void,
  onProblem: (problem: string) => void = () => {},
): Promise<Talk> {
  const privateKey = await NodePrivateKey.generate()
  const client = new ResilientClient({ targets: [relay], createClient: target => new Client(privateKey, target) })
  client.events.on('state', ({ error }) => onProblem(error?.message ?? ''))
  const invitedBy = address.hash === '' ? undefined : NodePublicKey.parse(address.hash.slice(1))
  let peer = invitedBy
  let boxKey = peer && (await portableAgreement.agree(privateKey, peer))
  const send = async (text: string) => {
    if (peer === undefined || boxKey === undefined) throw new Error('send: nobody has come yet')
    await client.send(peer, sealBox(boxKey, new TextEncoder().encode(text)))
  }
  const receive = async () => {
    for await (const message of client) {
      if (message.type !== 'receivedPacket') continue
      // The first to come is the other tab. Whoever must not be mistaken for it needs a secret in the link as well.
      peer ??= message.source
      if (!message.source.equals(peer)) continue
      boxKey ??= await portableAgreement.agree(privateKey, peer)
      const opened = openBox(boxKey, message.data)
      if (opened !== undefined) onText(new TextDecoder().decode(opened))
    }
  }
  // It ends when the client is closed.
  receive().catch(() => {})
  await client.connect()
  if (invitedBy !== undefined) await send('hello')
  const link = invitedBy === undefined ? new URL(`#${privateKey.publicKey()}`, address).href : ''
  return { link, send, close: () => void client.close() }
}
