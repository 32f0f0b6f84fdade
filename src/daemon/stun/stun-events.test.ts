import { expect, test } from 'vitest'
import { type LogFields, silentLog } from '../../lib/log.ts'
import { stunEvents } from './stun-events.ts'

test('stunEvents warns when nearly all requests come from a container bridge (P-187)', () => {
  const lines: [string, string, LogFields | undefined][] = []
  const log = {
    ...silentLog,
    warn: (message: string, fields?: LogFields) => void lines.push(['warn', message, fields]),
    debug: (message: string, fields?: LogFields) => void lines.push(['debug', message, fields]),
  }
  const events = stunEvents(log)
  events.bridge({ address: '172.17.0.1', requests: 100, fromBridge: 97 })
  events.failed('send EINVAL', 'write')
  expect(lines).toEqual([
    [
      'warn',
      'nearly all STUN requests come from a container bridge: clients see its address as their own; use host networking',
      { bridge: '172.17.0.1', requests: 100, fromBridge: 97 },
    ],
    ['debug', 'STUN exchange failed', { during: 'write', reason: 'send EINVAL' }],
  ])
})
