/** Rates of the events in a region that cost something. */

import type { OutMessage } from '../../backplane/message.ts'

/** Messages of one kind per second. */
export interface MessageRate {
  /** Sent to NATS. */
  readonly published: number
  /** Delivered by NATS, one for each receiver. */
  readonly delivered: number
  /** Keys in those delivered. */
  readonly keys: number
  /** Bytes in those delivered. */
  readonly bytes: number
}

export type MessageKind = OutMessage['type']

/** Per second, all relays together. */
export interface Rates {
  readonly relays: number
  readonly localPackets: number
  readonly crossPackets: number
  readonly lostPackets: number
  readonly logins: number
  /** By kind; those that are not sent are absent. */
  readonly messages: Partial<Record<MessageKind, MessageRate>>
  /** Keys of other relays that a relay remembers, on average: routes, and where those are whose end its clients wait for. */
  readonly routes: number
  /** Open links, from relay to relay. */
  readonly links: number
  /** Connected clients. */
  readonly clients: number
}

/** All messages together. */
export function totalMessages({ messages }: Rates): MessageRate {
  const total = { published: 0, delivered: 0, keys: 0, bytes: 0 }
  for (const { published, delivered, keys, bytes } of Object.values(messages)) {
    total.published += published
    total.delivered += delivered
    total.keys += keys
    total.bytes += bytes
  }
  return total
}
