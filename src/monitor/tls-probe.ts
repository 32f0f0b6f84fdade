/** Probes the TLS of a relay: handshake as clients do it, dates, revocation. */

import type { DERPNode } from '../derpmap/types.ts'
import { DerpError } from '../lib/derp-error.ts'
import { chainProblems, earliestExpiry } from './chain-verdict.ts'
import type { MonitorPorts } from './ports.ts'
import type { ProbeClass } from './probe-class.ts'

type TlsPorts = Pick<MonitorPorts, 'clock' | 'handshake' | 'checkRevocation'>

export function tlsProbe(nodeNow: () => DERPNode, { clock, handshake, checkRevocation }: TlsPorts): ProbeClass {
  let earliestExpiryMs: number | undefined
  return {
    class: 'tls',
    probe: async ({ signal, step }) => {
      step('connect and perform the TLS handshake')
      const { peerCertificates: chain, pin } = await handshake(nodeNow(), signal)
      earliestExpiryMs = earliestExpiry(chain)
      const problems = chainProblems(chain, clock.wallNow())
      if (problems.length > 0) throw new DerpError('ERR_DERP_PROBE_FAILED', problems.join('; '))
      // No authority vouches for a pinned certificate, so none could revoke it.
      if (pin !== undefined) return ['revocation not checked: the certificate is pinned in the DERP map']
      step('ask whether the certificate is revoked')
      const revocation = await checkRevocation(chain, signal)
      return revocation.kind === 'good' ? [] : [`revocation not checked: ${revocation.reason}`]
    },
    metrics: () =>
      earliestExpiryMs === undefined
        ? []
        : [
            {
              name: 'tls_earliest_cert_expiry_secs',
              help: 'When the first certificate of the chain expires (seconds since epoch)',
              type: 'gauge',
              value: Math.floor(earliestExpiryMs / 1_000),
            },
          ],
  }
}
