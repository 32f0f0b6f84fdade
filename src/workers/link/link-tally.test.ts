import { expect, test } from 'vitest'
import { createTally, LinkCount } from './link-tally.ts'

test('LinkCount returns what is unacknowledged, even when the counts wrap around', () => {
  const tally = new Int32Array(createTally())
  const [sent, taken] = [new LinkCount(), new LinkCount()]
  for (const count of [sent, taken]) for (let n = 0; n < 3; n++) count.add('disco', 2 ** 30, 2 ** 30)
  taken.publish(tally)
  sent.add('disco', 105, 68)
  sent.add('other', 45, 8)
  expect(sent.bytesBeyond(tally)).toBe(150)
  expect(sent.packetsBeyond(tally, 'disco')).toEqual({ packets: 1, bytes: 68 })
  expect(sent.packetsBeyond(tally, 'other')).toEqual({ packets: 1, bytes: 8 })
})
