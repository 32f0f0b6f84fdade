/** All cases. */

import type { ConformanceCase } from '../case.ts'
import { differenceCases } from './differences.ts'
import { duplicateCases } from './duplicates.ts'
import { forwardCases } from './forward.ts'
import { hostileCases } from './hostile.ts'
import { httpCases } from './http.ts'
import { livenessCases } from './liveness.ts'
import { loginCases } from './login.ts'
import { meshCases } from './mesh.ts'
import { meshWatchCases } from './mesh-watch.ts'
import { metricsCases } from './metrics.ts'
import { trafficMetricsCases } from './metrics-traffic.ts'
import { packetCases } from './packets.ts'
import { peerGoneCases } from './peer-gone.ts'
import { queueCases } from './queues.ts'
import { stunCases } from './stun.ts'
import { tlsCases } from './tls.ts'
import { webSocketCases } from './websocket.ts'

export const ALL_CASES: readonly ConformanceCase[] = [
  ...loginCases,
  ...packetCases,
  ...queueCases,
  ...duplicateCases,
  ...peerGoneCases,
  ...livenessCases,
  ...meshCases,
  ...meshWatchCases,
  ...forwardCases,
  ...hostileCases,
  ...httpCases,
  ...webSocketCases,
  ...tlsCases,
  ...stunCases,
  ...differenceCases,
  ...metricsCases,
  ...trafficMetricsCases,
]
