/** Settings of outgoing connections, from flags and environment. */

import type { OutboundSettings } from '../../../daemon/settings.ts'
import type { DerperFlagValues } from '../derper-flags.ts'
import { requestBudget } from '../descriptor-budget.ts'
import { loginTimeoutSetting } from './listen-settings.ts'

const PROXY_VARIABLES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap(name => [name, name.toLowerCase()])

/** @param workers threads that serve clients. @throws DerpError naming flag, value and reason. */
export function outboundSettings(flags: DerperFlagValues, env: NodeJS.ProcessEnv, workers: number): OutboundSettings {
  return {
    proxyEnv: Object.fromEntries(PROXY_VARIABLES.map(name => [name, env[name]])),
    requests: { maxRequests: requestBudget(workers), patienceMs: loginTimeoutSetting(flags) },
  }
}
