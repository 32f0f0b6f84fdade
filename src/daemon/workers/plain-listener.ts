/** Plain HTTP beside TLS for a multi-threaded relay; runs on the main thread, as it serves little. */

import { type ChallengeAnswers, createPort80Routes } from '../../http/pages/port80.ts'
import type { AcceptLimits } from '../../listen/accept-limits.ts'
import { createHttpListener, type HttpListener } from '../../listen/node/http-listener.ts'
import type { RelayCounters } from '../../metrics/counters.ts'
import { createRelayRoutes, type ShownRelay } from '../../relay.ts'
import type { DaemonRelayParts } from '../daemon-relay.ts'
import type { DebugSecrets } from '../debug/debug-secrets.ts'
import { listenerOptions } from '../listener-options.ts'
import { relayOptions } from '../relay-options.ts'

export interface PlainListenerParts extends Pick<DaemonRelayParts, 'settings' | 'privateKey' | 'log' | 'names'> {
  readonly secrets: DebugSecrets
  readonly limits: AcceptLimits
  readonly counters: RelayCounters
  readonly shown: ShownRelay
  readonly challenges: ChallengeAnswers | undefined
}

/** Binds nothing. */
export function createPlainListener(parts: PlainListenerParts): HttpListener {
  const { settings, privateKey, log, names, secrets, limits, counters, shown, challenges } = parts
  const { http, clock } = shown
  const options = relayOptions(settings, { privateKey, meshKey: settings.mesh.key, secrets })
  const main = createRelayRoutes({ ...options, bootstrapDns: names }, shown)
  const relay = {
    routes: createPort80Routes(main, challenges),
    http,
    core: { noteFailure: ({ code }: { code: Parameters<RelayCounters['fail']>[0] }) => counters.fail(code) },
  }
  return createHttpListener({ ...listenerOptions(settings.listen, { relay, log, limits }), clock })
}
