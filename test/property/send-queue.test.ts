import { expect, test } from 'vitest'
import { SendQueue, type WaitingPacket } from '../../src/server/queues/send-queue.ts'
import { fc } from '../support/fast-check.ts'

test('SendQueue equals a list, settled at any time (P-100)', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constant('push') },
    { weight: 4, arbitrary: fc.constant('take') },
    { weight: 1, arbitrary: fc.constant('settle') },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), steps => {
      const queue = new SendQueue({ bytes: 0 })
      const naive: { content: number[]; settledAtMs: number | undefined }[] = []
      for (const [at, action] of steps.entries()) {
        if (action === 'push') {
          const content = Array(at % 7).fill(at)
          naive.push({ content, settledAtMs: undefined })
          queue.push(received(content))
        } else if (action === 'take') {
          expect(read(queue.take())).toEqual(naive.shift())
        } else {
          for (const packet of naive) packet.settledAtMs ??= at
          queue.settle(at)
        }
        expect(queue.length).toBe(naive.length)
        expect(queue.bytes).toBe(naive.reduce((sum, { content }) => sum + content.length, 0))
      }
    }),
  )
})

function received(content: readonly number[]): WaitingPacket {
  const buffer = Uint8Array.from([99, 99, ...content, 99])
  const end = 2 + content.length
  return { buffer, start: 2, end, payloadBytes: content.length, sender: undefined, settledAtMs: undefined }
}

function read(packet: WaitingPacket | undefined) {
  if (packet === undefined) return undefined
  const { buffer, start, end, settledAtMs } = packet
  return { content: [...buffer.subarray(start, end)], settledAtMs }
}
