import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { nodeAgreement } from '../../keys/node-box.ts'
import { NodePrivateKey } from '../../keys/node-key.ts'
import type { NodePublicKey } from '../../keys/public-key.ts'
import type { ReceivedMessage } from '../../protocol/messages.ts'
import { Conversation, type Transfer } from './conversation.ts'
import { PART_BYTES, WINDOW_BYTES } from './file-sender.ts'
import type { Invitation } from './invitation.ts'
import type { PairClient } from './pair.ts'

const SECRET = new Uint8Array(16).fill(7)

/** Packets between clients; `spoil` says for each what becomes of it. */
class Wire {
  readonly #queues = new Map<string, { waiting: ReceivedMessage[]; wake: (() => void) | undefined }>()
  spoil: (data: Uint8Array) => 'lost' | 'twice' | 'back' | undefined = () => undefined

  client(self: NodePublicKey): PairClient {
    const own: { waiting: ReceivedMessage[]; wake: (() => void) | undefined } = { waiting: [], wake: undefined }
    this.#queues.set(String(self), own)
    return {
      send: async (destination, data) => {
        const fate = this.spoil(data)
        if (fate === 'lost') return
        const message = (source: NodePublicKey): ReceivedMessage => ({ type: 'receivedPacket', source, data })
        this.#put(destination, message(self))
        if (fate === 'twice') this.#put(destination, message(self))
        if (fate === 'back') this.#put(self, message(destination))
      },
      recv: async () => {
        while (own.waiting.length === 0) await new Promise<void>(resolve => (own.wake = resolve))
        const [first] = own.waiting.splice(0, 1)
        if (first === undefined) throw new Error('nothing')
        return first
      },
    }
  }

  #put(to: NodePublicKey, message: ReceivedMessage): void {
    const queue = this.#queues.get(String(to))
    queue?.waiting.push(message)
    queue?.wake?.()
  }
}

function talker(wire: Wire, clock: FakeClock, invitation?: Invitation) {
  const privateKey = NodePrivateKey.generate()
  const own = { key: privateKey.publicKey(), secret: SECRET }
  const seen: string[] = []
  const transfers: Transfer[] = []
  const conversation = new Conversation(
    {
      client: wire.client(privateKey.publicKey()),
      privateKey,
      agreement: nodeAgreement,
      clock,
      hash: async bytes => new Uint8Array(createHash('sha256').update(bytes).digest()),
    },
    invitation ?? own,
    {
      onMeet: () => seen.push('met'),
      onGone: () => seen.push('gone'),
      onChat: (text, isOurs) => seen.push(`${isOurs ? 'said' : 'heard'} ${text}`),
      onTransfer: transfer => transfers.push(transfer),
      onLatency: ms => seen.push(`latency ${ms}`),
    },
  )
  void conversation.run()
  return { conversation, seen, transfers, invitation: own }
}

async function met(wire = new Wire(), clock = new FakeClock()) {
  const host = talker(wire, clock)
  const guest = talker(wire, clock, host.invitation)
  await expect.poll(() => [host.seen, guest.seen].every(seen => seen.includes('met'))).toBe(true)
  return { wire, clock, host, guest }
}

test('two ends meet by the link, and chat', async () => {
  const { host, guest } = await met()
  await host.conversation.chat('hello')
  await guest.conversation.chat('hi')
  await expect.poll(() => guest.seen).toContain('heard hello')
  await expect.poll(() => host.seen).toContain('heard hi')
  await expect.poll(() => host.seen).toContain('latency 0')
})

test('who has the key but not the secret of the link is not let in', async () => {
  const [wire, clock] = [new Wire(), new FakeClock()]
  const host = talker(wire, clock)
  const stranger = talker(wire, clock, { ...host.invitation, secret: new Uint8Array(16) })
  const guest = talker(wire, clock, host.invitation)
  await expect.poll(() => guest.seen).toContain('met')
  expect(stranger.seen).toEqual([])
  await expect(stranger.conversation.chat('let me in')).rejects.toThrow('nobody has come yet')
})

test('a guest greets again until its host is there', async () => {
  const [wire, clock] = [new Wire(), new FakeClock()]
  wire.spoil = () => 'lost'
  const host = talker(wire, clock)
  const guest = talker(wire, clock, host.invitation)
  await expect.poll(() => clock.pendingTimers).toBeGreaterThan(0)
  wire.spoil = () => undefined
  await expect
    .poll(() => {
      clock.advance(2_000)
      return guest.seen
    })
    .toContain('met')
})

test('a message that the relay repeats or sends back counts once', async () => {
  const { wire, host, guest } = await met()
  wire.spoil = () => 'twice'
  await host.conversation.chat('once')
  wire.spoil = () => 'back'
  await host.conversation.chat('mine')
  wire.spoil = () => undefined
  await host.conversation.chat('end')
  await guest.conversation.chat('end')
  await expect.poll(() => guest.seen).toContain('heard end')
  await expect.poll(() => host.seen).toContain('heard end')
  expect(guest.seen.filter(text => text === 'heard once')).toHaveLength(1)
  expect(host.seen).not.toContain('heard mine')
})

test('a file arrives whole although parts are lost, with few on their way', async () => {
  const { wire, clock, host, guest } = await met()
  const file = crypto.getRandomValues(new Uint8Array(65_536))
  const large = new Uint8Array(40 * PART_BYTES + 5)
  for (let at = 0; at < large.length; at += file.length) large.set(file.subarray(0, large.length - at), at)
  let [parts, most] = [0, 0]
  wire.spoil = data => {
    if (data.length < PART_BYTES) return undefined
    parts++
    most = Math.max(most, parts)
    return parts % 7 === 3 ? 'lost' : undefined
  }
  let isDone = false
  const sending = host.conversation.sendFile('large.bin', large).then(() => (isDone = true))
  await expect
    .poll(() => {
      clock.advance(1_000)
      return isDone
    })
    .toBe(true)
  await sending
  await expect.poll(() => guest.transfers.at(-1)?.state).toBe('equal')
  const [sent, received] = [host.transfers.at(-1), guest.transfers.at(-1)]
  expect(received).toMatchObject({ name: 'large.bin', bytes: large.length, hash: sent?.hash, isOurs: false })
  expect(sent?.hash).toBe(createHash('sha256').update(large).digest('hex'))
  expect(most).toBeGreaterThan(41)
  expect(WINDOW_BYTES).toBe(16 * PART_BYTES)
})

test('an empty file arrives, and one that no tab can hold is not begun', async () => {
  const { host, guest } = await met()
  await host.conversation.sendFile('empty', new Uint8Array(0))
  await expect.poll(() => guest.transfers.at(-1)).toMatchObject({ state: 'equal', size: 0 })
  await host.conversation.pair.send({ type: 'offer', id: 9, size: 2 ** 40, name: 'huge' })
  await host.conversation.chat('after')
  await expect.poll(() => guest.seen).toContain('heard after')
  expect(guest.transfers.some(({ name }) => name === 'huge')).toBe(false)
})
