import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { settle } from '../../../test/support/settle.ts'
import { ContentWatch } from './content-watch.ts'

const TIMES = { pollMs: 2_000, settleMs: 5_000 }

/** A watch over a text. Numbers are valid, smaller ones count as partial, and using 13 fails. */
function watchText() {
  const clock = new FakeClock()
  const told: string[] = []
  const source = { text: '1' }
  let used = 1
  const content = {
    read: async () => {
      if (source.text === 'gone') throw new Error('gone')
      return source.text
    },
    identityOf: (text: string) => text,
    parse: (text: string) => {
      if (!/^\d+$/.test(text)) throw new Error(`bad: ${text}`)
      return Number(text)
    },
    isPartial: (next: number) => next < used,
    use: (next: number) => {
      if (next === 13) throw new Error('unlucky')
      used = next
      told.push(`used ${next}`)
    },
    onSame: (isRequested: boolean) => void (isRequested && told.push('same')),
    onRejected: (error: Error) => void told.push(error.message),
  }
  const watch = new ContentWatch(content, source.text, clock, TIMES)
  const pass = async (ms: number) => {
    clock.advance(ms)
    await settle()
    return told.splice(0)
  }
  return { clock, source, watch, told, pass }
}

test('ContentWatch uses valid content, and keeps checking', async () => {
  const { source, watch, pass } = watchText()
  watch.checkIn(TIMES.pollMs)
  source.text = '2'
  expect([await pass(1_999), await pass(1)]).toEqual([[], ['used 2']])
  source.text = '3'
  expect([await pass(2_000), await pass(2_000)]).toEqual([['used 3'], []])
})

test('ContentWatch accepts invalid or partial content only once it has settled, and reports it once', async () => {
  const { source, watch, pass } = watchText()
  for (const [text, says] of [
    ['x', 'bad: x'],
    ['gone', 'gone'],
    ['13', 'unlucky'],
    ['0', 'used 0'],
  ] as const) {
    source.text = text
    watch.checkIn(0)
    expect([await pass(0), await pass(4_999)]).toEqual([[], []])
    expect(await pass(1)).toEqual([says])
    expect(await pass(10_000)).toEqual([])
  }
})

test('ContentWatch restarts the wait when partial content changes', async () => {
  const { source, watch, pass } = watchText()
  source.text = '9'
  await watch.check(true)
  source.text = '0'
  await watch.check(false)
  await pass(4_000)
  source.text = '3'
  expect([await pass(2_000), await pass(4_999)]).toEqual([[], []])
  expect(await pass(1)).toEqual(['used 3'])
})

test('ContentWatch accepts content at once on a requested check, and reports each result', async () => {
  const { source, watch, told } = watchText()
  source.text = 'x'
  for (let i = 0; i < 2; i++) await watch.check(true)
  source.text = '0'
  await watch.check(true)
  await watch.check(true)
  expect(told).toEqual(['bad: x', 'bad: x', 'used 0', 'same'])
})

test('ContentWatch drops results after close, and leaves no timer', async () => {
  const { clock, source, watch, told } = watchText()
  source.text = '2'
  const looking = watch.check(false)
  watch.close()
  await looking
  await watch.check(true)
  expect([told, clock.pendingTimers]).toEqual([[], 0])
})
