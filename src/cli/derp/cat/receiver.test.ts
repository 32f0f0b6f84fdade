import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { testIo } from '../../../../test/support/test-io.ts'
import { NodePrivateKey } from '../../../keys/node-key.ts'
import type { NodePublicKey } from '../../../keys/public-key.ts'
import { encodeUtf8 } from '../../../lib/bytes.ts'
import type { ReceivedMessage } from '../../../protocol/messages.ts'
import { Receiver } from './receiver.ts'
import { decodeTransfer, encodeTransfer } from './transfer-messages.ts'

const sender = NodePrivateKey.generate().publicKey()
const other = NodePrivateKey.generate().publicKey()

/** Runs a receiver on these packets; gives its exit code, what it kept, its errors, and its answers. */
async function receive(messages: readonly ReceivedMessage[]) {
  const io = testIo()
  const written: Uint8Array[] = []
  const answers: string[] = []
  const left = [...messages]
  let isKept = false
  const client = {
    send: async (to: NodePublicKey, data: Uint8Array) => {
      const verdict = decodeTransfer(data)
      const text = verdict?.kind === 'verdict' ? verdict.problem || 'good' : 'ack'
      answers.push(`${to.equals(sender) ? 'sender' : 'other'}: ${text}`)
    },
    recv: async () => {
      const message = left.shift()
      if (message === undefined) throw new Error('no more messages')
      return message
    },
  }
  const sink = {
    write: async (data: Uint8Array) => void written.push(data),
    keep: async () => {
      isKept = true
    },
  }
  const code = await new Receiver({ client, io, sink, isForFile: true }).run()
  return { code, text: Buffer.concat(written).toString(), isKept, stderr: io.stderr, answers }
}

const packet = (data: Uint8Array, source = sender): ReceivedMessage => ({ type: 'receivedPacket', source, data })
const offer = (bytes: number, source = sender) => packet(encodeTransfer({ kind: 'offer', bytes }), source)
const end = (text: string) =>
  packet(encodeTransfer({ kind: 'end', sha256: createHash('sha256').update(text).digest('hex') }))
const text = (value: string, source = sender) => packet(encodeUtf8(value), source)

test('keeps data with the hash of the sender, even if it looks like a message', async () => {
  const trick = encodeTransfer({ kind: 'end', sha256: 'none' })
  const hash = createHash('sha256').update(trick).digest('hex')
  const messages = [offer(trick.length), packet(trick), packet(encodeTransfer({ kind: 'end', sha256: hash }))]
  expect(await receive(messages)).toMatchObject({
    code: 0,
    isKept: true,
    answers: ['sender: ack', 'sender: ack', 'sender: good'],
  })
})

test.each<[what: string, messages: readonly ReceivedMessage[], reason: string]>([
  ['other data', [offer(3), text('abX'), end('abc')], 'SHA-256 differs'],
  ['missing data, if the sender could not count', [offer(0), end('abc')], 'SHA-256 differs'],
  [
    'a sender that leaves',
    [offer(3), text('ab'), { type: 'peerGone', peer: sender, reason: 0 }],
    'the sender is gone after 2 of 3 bytes',
  ],
])('does not keep a file after %s', async (_what, messages, reason) => {
  const { code, isKept, stderr } = await receive(messages)
  expect([code, isKept]).toEqual([1, false])
  expect(stderr).toContain(reason)
})

test('takes one file at a time, and no plain data', async () => {
  const messages = [text('x', other), offer(3), offer(9, other), text('y', other), text('abc'), end('abc')]
  const { code, text: written, answers } = await receive(messages)
  expect([code, written]).toEqual([0, 'abc'])
  expect(answers).toEqual([
    'other: the receiver waits for a file: use --file here as well',
    'sender: ack',
    'other: the receiver is busy with another file',
    'other: the receiver waits for a file: use --file here as well',
    'sender: ack',
    'sender: good',
  ])
})
