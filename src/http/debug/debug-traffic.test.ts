import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import type { DebugSource } from '../../status/relay-view.ts'
import { streamTraffic, TRAFFIC_INTERVAL_MS, trafficText } from './debug-traffic.ts'

const at = (id: string, sent: number, received: number) => ({ id, key: `nodekey:${id}`, sent, received })
const before = (...connections: ReturnType<typeof at>[]) => new Map(connections.map(one => [one.id, one]))

test('trafficText tells the totals of the connections that have moved bytes, then an empty line (P-198)', () => {
  const traffic = [at('a', 10, 0), at('b', 5, 5), at('c', 0, 7), at('d', 0, 0), at('e', 1, 9)]
  const last = before(at('a', 9, 0), at('b', 5, 5), at('e', 1, 8), at('gone', 3, 3))
  expect(trafficText(traffic, last)).toBe(
    '{"Sent":10,"Recv":0,"Key":"nodekey:a"}\n{"Sent":0,"Recv":7,"Key":"nodekey:c"}\n{"Sent":1,"Recv":9,"Key":"nodekey:e"}\n\n',
  )
})

test('trafficText is an empty line when nothing has moved (P-198)', () => {
  expect(trafficText([at('a', 1, 1)], before(at('a', 1, 1)))).toBe('\n')
  expect(trafficText([], before())).toBe('\n')
})

/** A reader whose connection is full as long as `isTaking` is false. */
class FakeResponse extends EventEmitter {
  closed = false
  isTaking = true
  readonly written: string[] = []

  write(text: string): boolean {
    this.written.push(text)
    return this.isTaking
  }

  close(): void {
    this.closed = true
    this.emit('close')
  }
}

function startStream() {
  const [clock, response] = [new FakeClock(), new FakeResponse()]
  let looks = 0
  const source: Pick<DebugSource, 'traffic'> = {
    traffic: async () => {
      looks++
      return [at('a', looks, 0)]
    },
  }
  const done = streamTraffic(source, clock, response as unknown as ServerResponse)
  return { clock, response, done, looks: () => looks }
}

test('streamTraffic looks every 2 s, and stops when the reader leaves (P-198)', async () => {
  const { clock, response, done, looks } = startStream()
  await settle()
  for (let n = 1; n <= 3; n++) {
    expect(response.written).toHaveLength(n)
    expect(response.written.at(-1)).toBe(`{"Sent":${n},"Recv":0,"Key":"nodekey:a"}\n\n`)
    clock.advance(TRAFFIC_INTERVAL_MS - 1)
    await settle()
    expect(looks()).toBe(n)
    clock.advance(1)
    await settle()
  }
  response.close()
  await done
  expect(clock.pendingTimers).toBe(0)
  expect(response.eventNames()).toEqual([])
})

test('streamTraffic looks no further while its reader does not read (P-198)', async () => {
  const { clock, response, done, looks } = startStream()
  response.isTaking = false
  await settle()
  clock.advance(10 * TRAFFIC_INTERVAL_MS)
  await settle()
  clock.advance(10 * TRAFFIC_INTERVAL_MS)
  await settle()
  expect(looks()).toBe(1)
  response.emit('drain')
  await settle()
  clock.advance(TRAFFIC_INTERVAL_MS)
  await settle()
  expect(looks()).toBe(2)
  response.close()
  await done
  expect(response.eventNames()).toEqual([])
})
