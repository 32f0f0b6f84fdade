/** All steps, in the order they run: each relies on the results of the earlier ones. */

import type { Step } from './step.ts'
import { captivePortal } from './steps/captive-portal.ts'
import { dns } from './steps/dns.ts'
import { http } from './steps/http.ts'
import { login, serverKey } from './steps/login.ts'
import { mesh, meshKey } from './steps/mesh.ts'
import { readiness } from './steps/readiness.ts'
import { packet, ping } from './steps/relaying.ts'
import { sameServer } from './steps/same-server.ts'
import { stun4, stun6 } from './steps/stun.ts'
import { tcp4, tcp6 } from './steps/tcp.ts'
import { tls } from './steps/tls.ts'
import { upgrade, webSocket } from './steps/upgrade.ts'

export const STEPS: readonly Step[] = [
  dns,
  tcp4,
  tcp6,
  tls,
  http,
  upgrade,
  webSocket,
  serverKey,
  login,
  packet,
  ping,
  readiness,
  stun4,
  stun6,
  captivePortal,
  sameServer,
  meshKey,
  mesh,
]
