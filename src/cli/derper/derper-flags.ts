/** All `derper` flags by topic, under the original's names where it has them. */

import type { FlagValues } from '../go-flags.ts'
import { ADMISSION_FLAGS } from './flags/admission.ts'
import { BOOTSTRAP_DNS_FLAGS } from './flags/bootstrap-dns.ts'
import type { FlagSection } from './flags/derper-flag.ts'
import { ENDING_FLAGS } from './flags/ending.ts'
import { LIMIT_FLAGS } from './flags/limits.ts'
import { MESH_FLAGS } from './flags/mesh.ts'
import { METRICS_FLAGS } from './flags/metrics.ts'
import { OPERATION_FLAGS } from './flags/operations.ts'
import { PROXY_FLAGS } from './flags/proxies.ts'
import { REFUSED_FLAGS } from './flags/refused.ts'
import { REGION_FLAGS } from './flags/region.ts'
import { SERVING_FLAGS } from './flags/serving.ts'
import { STUN_FLAGS } from './flags/stun.ts'
import { TLS_FLAGS } from './flags/tls.ts'
import { UPGRADE_FLAGS } from './flags/upgrade.ts'

/** Topics in help text order. */
export const DERPER_SECTIONS: readonly FlagSection[] = [
  { title: 'Serving', flags: SERVING_FLAGS },
  { title: 'TLS', flags: TLS_FLAGS },
  { title: 'Behind proxies', flags: PROXY_FLAGS },
  { title: 'STUN', flags: STUN_FLAGS },
  { title: 'Admission', flags: ADMISSION_FLAGS },
  { title: 'Mesh', flags: MESH_FLAGS },
  { title: 'Region', flags: REGION_FLAGS },
  { title: 'Bootstrap DNS', flags: BOOTSTRAP_DNS_FLAGS },
  { title: 'Limits', flags: LIMIT_FLAGS },
  { title: 'Operations', flags: OPERATION_FLAGS },
  { title: 'Shutdown', flags: ENDING_FLAGS },
  { title: 'Upgrade in place', flags: UPGRADE_FLAGS },
  { title: 'Metrics and health', flags: METRICS_FLAGS },
  { title: 'Only inside Tailscale', flags: REFUSED_FLAGS },
]

export const DERPER_FLAGS: typeof SERVING_FLAGS &
  typeof TLS_FLAGS &
  typeof PROXY_FLAGS &
  typeof STUN_FLAGS &
  typeof ADMISSION_FLAGS &
  typeof MESH_FLAGS &
  typeof REGION_FLAGS &
  typeof BOOTSTRAP_DNS_FLAGS &
  typeof LIMIT_FLAGS &
  typeof OPERATION_FLAGS &
  typeof ENDING_FLAGS &
  typeof UPGRADE_FLAGS &
  typeof METRICS_FLAGS &
  typeof REFUSED_FLAGS = {
  ...SERVING_FLAGS,
  ...TLS_FLAGS,
  ...PROXY_FLAGS,
  ...STUN_FLAGS,
  ...ADMISSION_FLAGS,
  ...MESH_FLAGS,
  ...REGION_FLAGS,
  ...BOOTSTRAP_DNS_FLAGS,
  ...LIMIT_FLAGS,
  ...OPERATION_FLAGS,
  ...ENDING_FLAGS,
  ...UPGRADE_FLAGS,
  ...METRICS_FLAGS,
  ...REFUSED_FLAGS,
}

export type DerperFlagValues = FlagValues<typeof DERPER_FLAGS>
