/** The bus of one relay of a region, whose test plays NATS and all other relays. */

import type { Bus, BusHandler } from '../../src/backplane/bus.ts'
import { decodeMessage } from '../../src/backplane/decode.ts'
import { encodeMessage } from '../../src/backplane/encode.ts'
import { KeyTimes } from '../../src/backplane/key-times.ts'
import type { InMessage, OutMessage } from '../../src/backplane/message.ts'
import type { RelayId } from '../../src/backplane/stamp.ts'

export class ScriptedBus implements Bus {
  /** If not, it rejects what is sent. */
  isUp = false
  isClosed = false
  #handler: BusHandler | undefined
  #sent: { readonly to: RelayId | undefined; readonly message: InMessage }[] = []

  open(handler: BusHandler): void {
    this.#handler = handler
  }

  broadcast(_kind: string, bytes: Uint8Array): boolean {
    return this.#send(undefined, bytes)
  }

  send(to: RelayId, bytes: Uint8Array): boolean {
    return this.#send(to, bytes)
  }

  async close(): Promise<void> {
    this.isClosed = true
  }

  goUp(): void {
    this.isUp = true
    this.#handler?.onUp()
  }

  goDown(reason = 'cut'): void {
    this.isUp = false
    this.#handler?.onDown(reason)
  }

  receive(from: RelayId, message: OutMessage | Uint8Array, isDirect = false): void {
    const bytes = message instanceof Uint8Array ? message : encodeMessage(message)
    this.#handler?.onMessage(from, bytes, isDirect)
  }

  /** The messages that the relay has sent since the last look. */
  takeMessages(): InMessage[] {
    return this.#sent.splice(0).map(({ message }) => message)
  }

  /** The same as text: type, number, the first byte of each key, and the receiver if it is only one. */
  take(): string[] {
    return this.#sent.splice(0).map(({ to, message }) => `${textOf(message)}${to === undefined ? '' : ` to ${to}`}`)
  }

  #send(to: RelayId | undefined, bytes: Uint8Array): boolean {
    const message = decodeMessage(bytes)
    if (message === undefined) throw new Error('send a message: it cannot be decoded')
    if (this.isUp) this.#sent.push({ to, message })
    return this.isUp
  }
}

function textOf(message: InMessage): string {
  const words: (string | number)[] = [message.type]
  if (message.type === 'here' && message.list !== undefined) words[0] = 'list'
  if ('sequence' in message) words.push(message.sequence)
  if ('keys' in message) words.push(...firstBytes(message.keys))
  return words.join(' ')
}

function firstBytes(keys: Extract<InMessage, { keys: unknown }>['keys']): number[] {
  const list = keys instanceof KeyTimes ? Array.from({ length: keys.length }, (_, n) => keys.keyOf(n)) : keys
  return list.map(({ bytes }) => bytes[0] as number)
}
