/** A client of a relay as a store: its state and the last messages, for any framework or none. */

import { Client, NodePrivateKey, NodePublicKey, ResilientClient, type ResilientState } from 'derphttp/browser'

export interface Message {
  /** Counts up from 0. */
  readonly id: number
  readonly from: string
  readonly text: string
}

/** Immutable: each change makes a new one. */
export interface RelayView {
  readonly key: string
  readonly state: ResilientState
  readonly problem: string
  /** The last ones, the newest at the end. */
  readonly messages: readonly Message[]
}

export interface RelayStore {
  /** Calls `listener` after each change. @returns a function that ends that. */
  readonly subscribe: (listener: () => void) => () => void
  readonly getSnapshot: () => RelayView
  readonly send: (to: string, text: string) => Promise<void>
  readonly close: () => void
}

/** @param keep messages to keep. */
export async function createRelayStore(url: string, keep = 100): Promise<RelayStore> {
  const privateKey = await NodePrivateKey.generate()
  const client = new ResilientClient({ targets: [url], createClient: target => new Client(privateKey, target) })
  const listeners = new Set<() => void>()
  let view: RelayView = { key: String(privateKey.publicKey()), state: client.state, problem: '', messages: [] }
  const change = (parts: Partial<RelayView>) => {
    view = { ...view, ...parts }
    for (const listener of listeners) listener()
  }
  client.events.on('state', ({ state, error }) => change({ state, problem: error?.message ?? '' }))
  let nextId = 0
  const receive = async () => {
    for await (const message of client) {
      if (message.type !== 'receivedPacket') continue
      const text = new TextDecoder().decode(message.data)
      change({ messages: [...view.messages, { id: nextId++, from: String(message.source), text }].slice(-keep) })
    }
  }
  // It ends when the client is closed.
  receive().catch(() => change({ state: client.state }))
  return {
    subscribe: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    getSnapshot: () => view,
    send: (to, text) => client.send(NodePublicKey.parse(to), new TextEncoder().encode(text)),
    close: () => void client.close(),
  }
}
