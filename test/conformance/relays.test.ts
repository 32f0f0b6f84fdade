import { describe } from 'vitest'
import { hasGo } from '../support/go-tools.ts'
import { startOurRelay, startReferenceRelay } from '../support/relays.ts'
import { conformance } from './run.ts'

conformance('ours, plain', { tls: false, carriage: 'raw', like: 'ours' }, async () => {
  const relay = await startOurRelay()
  return { options: { url: relay.url, carriage: 'raw', like: 'ours' }, stop: () => relay.stop() }
})

describe.skipIf(!hasGo)('with Go', () => {
  conformance('stock derper, plain', { tls: false, carriage: 'raw', like: 'original' }, async () => {
    const relay = await startReferenceRelay()
    return { options: { url: relay.url, carriage: 'raw', like: 'original' }, stop: () => relay.stop() }
  })
})
