import { expect, test } from 'vitest'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { createLog, type DaemonLogOptions } from './log.ts'

function logged(options: Partial<DaemonLogOptions> = {}) {
  const lines: string[] = []
  const sink = { write: async (text: string) => void lines.push(text) }
  const log = createLog({ level: 'info', format: 'json', clock: new FakeClock(), sink, ...options })
  const text = async () => {
    await log.flush(1_000)
    return lines.join('').replaceAll(/\d{4}-[\dT:.-]+Z/g, 'TIME')
  }
  return { log, text }
}

test('createLog writes one JSON line per event of its level, which may change', async () => {
  const { log, text } = logged({ common: { thread: 1 } })
  log.debug('not this')
  log.warn('this', { n: 1, none: undefined })
  expect(log.level).toBe('info')
  log.level = 'debug'
  log.debug('now this')
  expect(await text()).toBe(
    `{"level":"warn","time":"TIME","thread":1,"n":1,"msg":"this"}\n{"level":"debug","time":"TIME","thread":1,"msg":"now this"}\n`,
  )
})

test('createLog escapes values in text format', async () => {
  const { log, text } = logged({ format: 'text' })
  log.info('serving', { address: '[::1]:443', tls: true, relay: undefined, ports: { http: 80 } })
  log.warn('refused', { reason: 'no\nsuch key', name: '\u001b[31m\u009b1m\u202e', empty: '', nothing: null })
  expect(await text()).toBe(
    [
      'TIME info  serving address=[::1]:443 tls=true ports={"http":80}',
      String.raw`TIME warn  refused reason="no\nsuch key" name="\u001b[31m\u009b1m\u202e" empty="" nothing=null`,
      '',
    ].join('\n'),
  )
})

test('createLog writes lines of another thread and counts those lost there', async () => {
  const { log, text } = logged()
  log.take('{"msg":"of a worker"}\n', 3)
  expect(await text()).toBe('{"msg":"of a worker"}\n')
  expect(log.counters.dropped).toBe(3)
})
