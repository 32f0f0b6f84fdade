import { describe } from 'vitest'
import { hasGo } from '../support/go-tools.ts'
import { startOurRelay, startOurTlsRelay, startReferenceRelay, startReferenceTlsRelay } from '../support/relays.ts'
import { conformance } from './run.ts'
import type { TargetOptions } from './target.ts'

// What does not depend on the carriage and takes long is proved over plain TCP only.
const QUICK = { quick: true } as const

const webSocket = { carriage: 'websocket', tls: false, ...QUICK } as const
const tls = { carriage: 'raw', tls: true, stunPort: 1, ...QUICK } as const
const webSocketOverTls = { carriage: 'websocket', tls: true, ...QUICK } as const

conformance('ours, WebSocket', { ...webSocket, like: 'ours' }, async () => {
  const relay = await startOurRelay()
  return { options: { url: relay.url, carriage: 'websocket', like: 'ours' }, stop: () => relay.stop() }
})

const ofTls = (start: typeof startOurTlsRelay, shape: Pick<TargetOptions, 'carriage' | 'like'>) => async () => {
  const relay = await start()
  const { url, ca, stunPort } = relay
  return { options: { ...shape, url, ca, stunPort }, stop: () => relay.stop() }
}

conformance('ours, TLS', { ...tls, like: 'ours' }, ofTls(startOurTlsRelay, { carriage: 'raw', like: 'ours' }))
conformance(
  'ours, WebSocket over TLS',
  { ...webSocketOverTls, like: 'ours' },
  ofTls(startOurTlsRelay, { carriage: 'websocket', like: 'ours' }),
)

describe.skipIf(!hasGo)('with Go', () => {
  conformance('stock derper, WebSocket', { ...webSocket, like: 'original' }, async () => {
    const relay = await startReferenceRelay()
    return { options: { url: relay.url, carriage: 'websocket', like: 'original' }, stop: () => relay.stop() }
  })
  conformance(
    'stock derper, TLS',
    { ...tls, like: 'original' },
    ofTls(startReferenceTlsRelay, { carriage: 'raw', like: 'original' }),
  )
})
