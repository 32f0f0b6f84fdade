import { expect, test } from 'vitest'
import { type LogFields, silentLog } from '../lib/log.ts'
import { encodeBindingRequest } from '../stun/message.ts'
import { StunResponder } from '../stun/responder.ts'
import { stunOptions } from './stun-options.ts'

const settings = { host: undefined, port: 3478, plain: false, sourceLimit: undefined }

test('stunOptions warns when all requests come from a container bridge (P-187)', () => {
  const warnings: [string, LogFields | undefined][] = []
  const responder = new StunResponder(
    stunOptions(settings, { ...silentLog, warn: (...line) => warnings.push(line as [string, LogFields]) }),
  )
  const sender = { send() {}, getSendQueueSize: () => 0 }
  const bridge = { family: 'IPv4', address: '172.17.0.1', port: 9 } as const
  for (let i = 0; i < 200; i++) responder.receive(encodeBindingRequest(new Uint8Array(12)), bridge, sender)
  expect(warnings).toEqual([
    [
      'nearly all STUN requests come from a container bridge: clients see its address as their own; use host networking',
      { bridge: '172.17.0.1', requests: 100, fromBridge: 100 },
    ],
  ])
})
