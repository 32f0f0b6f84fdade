/** A member of a region that only sends messages, to measure what they cost relays and NATS. */

import { connect, type NatsConnection } from '@nats-io/transport-node'
import { encodeMessage } from '../../src/backplane/encode.ts'
import { BEAT_MS } from '../../src/backplane/limits.ts'
import type { OutMessage } from '../../src/backplane/message.ts'
import { NodePrivateKey, type NodePublicKey } from '../../src/keys/node-key.ts'

const ID = 'feedfeedfeedfeed'
const SUBJECT = 'derp.bench'

/** What it repeats. */
export type Repeated = 'find' | 'here'

export class TalkingMember {
  readonly #connection: NatsConnection
  readonly #incarnation = Date.now()
  #sequence = 0
  #finds = 0
  #sent = 0

  private constructor(connection: NatsConnection) {
    this.#connection = connection
  }

  static async join(natsUrl: string): Promise<TalkingMember> {
    const member = new TalkingMember(await connect({ servers: new URL(natsUrl).host }))
    member.#connection.subscribe(`${SUBJECT}.to.${ID}.*`, { callback: () => {} })
    member.#beat()
    await member.#connection.flush()
    return member
  }

  /** Sends so many messages each millisecond, with so many unknown keys each; resolves to how many there were. */
  talk(kind: Repeated, perMs: number, keyCount: number, seconds: number): Promise<number> {
    const keys = Array.from({ length: keyCount }, () => NodePrivateKey.generate().publicKey())
    const beganAtMs = performance.now()
    let beatAtMs = beganAtMs
    this.#sent = 0
    return new Promise(resolve => {
      const tick = () => {
        const nowMs = performance.now()
        if (nowMs - beganAtMs > seconds * 1_000) {
          resolve(this.#sent)
          return
        }
        if (nowMs - beatAtMs > BEAT_MS) {
          beatAtMs = nowMs
          this.#beat()
        }
        const due = Math.floor((nowMs - beganAtMs) * perMs)
        while (this.#sent < due) this.#say(kind, keys)
        setTimeout(tick, 1)
      }
      tick()
    })
  }

  async leave(): Promise<void> {
    this.#publish('here', { type: 'reset' })
    await this.#connection.drain()
  }

  #say(kind: Repeated, keys: readonly NodePublicKey[]): void {
    this.#sent++
    if (kind === 'find') this.#publish('find', { type: 'find', id: ++this.#finds, keys })
    else {
      const times = keys.map(key => ({ key, time: 1 }))
      this.#publish('here', { type: 'here', sequence: ++this.#sequence, list: undefined, keys: times })
    }
  }

  #beat(): void {
    const url = 'https://bench.example/derp'
    const [incarnation, sequence] = [this.#incarnation, this.#sequence]
    this.#publish('beat', { type: 'beat', url, incarnation, sequence, time: Date.now() * 2_048 })
  }

  #publish(kind: string, message: OutMessage): void {
    this.#connection.publish(`${SUBJECT}.${kind}.${ID}`, encodeMessage(message))
  }
}
