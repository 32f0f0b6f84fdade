/** `derper health`: asks the relay that runs with the same configuration how it is; for images that hold nothing else to ask with. */

import { formatListenAddress, type ListenAddress } from '../../daemon/listen-address.ts'
import { connectionFault, explainFault } from '../../lib/connection-fault.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { EXIT_FAILED, EXIT_OK } from '../exit.ts'
import type { DerperFlagValues } from './derper-flags.ts'
import { metricsSettings } from './settings/metrics-settings.ts'

const PATIENCE_MS = 4_000

/** Resolves to the exit code; of the settings only those of the metrics count. @throws DerpError without a listener to ask. */
export async function checkHealth(flags: DerperFlagValues): Promise<number> {
  const metrics = metricsSettings(flags)
  if (metrics === undefined || metrics.address.port === 0) {
    const reason = 'ask for health: needs -metrics-addr with a port, as the running derper has it'
    throw new DerpError('ERR_DERP_CONFIG_INVALID', reason)
  }
  const url = `http://${formatListenAddress(reachable(metrics.address))}/healthz`
  const [problem, text] = await ask(url)
  process.stdout.write(problem ? `unhealthy: ${url}: ${text}\n` : text)
  return problem ? EXIT_FAILED : EXIT_OK
}

async function ask(url: string): Promise<readonly [problem: boolean, text: string]> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MS) })
    const text = await response.text()
    return response.ok ? [false, text] : [true, `status ${response.status}: ${text.trimEnd()}`]
  } catch (error) {
    return [true, explainRequest(error)]
  }
}

/** Of Node's errors the cause says more; of Bun's, which has no words of use, the code. */
function explainRequest(error: unknown): string {
  const { message, cause } = error as Error
  const fault = connectionFault(error)
  const detail = cause instanceof Error ? cause.message : message.replace(/^(\w+): .*/s, '$1')
  return fault === undefined ? detail : explainFault(fault, detail)
}

/** Where no host is set, or all addresses, loopback leads to it. */
function reachable({ host = '0.0.0.0', port }: ListenAddress): ListenAddress {
  if (host === '0.0.0.0') return { host: '127.0.0.1', port }
  return { host: host === '::' ? '::1' : host, port }
}
