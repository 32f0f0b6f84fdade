/** Helpers for admission tests. */

import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { LogFields } from '../../src/lib/log.ts'
import { AdmissionCounters } from '../../src/metrics/admission-counters.ts'
import type { AdmissionRequest } from '../../src/server/ports.ts'
import { FakeClock } from './fake-clock.ts'

/** Clock, counters and a log that records its lines except debug ones. */
export function admissionPorts() {
  const lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = []
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}) =>
      void lines.push({ level, message, fields })
  const log = { debug: () => {}, info: at('info'), warn: at('warn'), error: at('error') }
  return { clock: new FakeClock(), counters: new AdmissionCounters(), log, lines }
}

/** A client requesting admission. */
export function requestOf(changes: Partial<AdmissionRequest> = {}): AdmissionRequest {
  return {
    clientKey: NodePrivateKey.generate().publicKey(),
    info: { version: 2, canAckPings: false, isProber: false },
    remote: { address: '192.0.2.1', port: 4001 },
    ...changes,
  }
}
