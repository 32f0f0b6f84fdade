import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type QueuedFrame, SendQueue } from '../../src/server/send-queue.ts'

test('SendQueue equals a list from which the oldest is cut (P-100)', () => {
  const step = fc.oneof({ weight: 3, arbitrary: fc.constant('push') }, { weight: 2, arbitrary: fc.constant('take') })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 100 }), (capacity, steps) => {
      const queue = new SendQueue(capacity)
      const naive: QueuedFrame[] = []
      for (const [at, action] of steps.entries()) {
        if (action === 'push') {
          const entry = { frame: new Uint8Array(at % 7), payloadBytes: at % 7, enqueuedAtMs: at }
          naive.push(entry)
          const cut = naive.length > capacity ? naive.shift() : undefined
          expect(queue.push(entry)).toEqual(cut)
        } else {
          expect(queue.take()).toEqual(naive.shift())
        }
        expect(queue.length).toBe(naive.length)
        expect(queue.bytes).toBe(naive.reduce((sum, { frame }) => sum + frame.length, 0))
      }
    }),
  )
})
