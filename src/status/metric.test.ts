import { expect, test } from 'vitest'
import { prometheusName } from './metric.ts'

test.each([
  ['accepts', undefined, 'accepts', undefined],
  ['gauge_watchers', 'derp', 'derp_watchers', 'gauge'],
  ['counter_requests', 'stun', 'stun_requests', 'counter'],
  ['histogram_login_ms', 'derphttp', 'derphttp_login_ms', undefined],
  ['counter_uptime_sec', undefined, 'uptime_sec', 'counter'],
  ['gauges', undefined, 'gauges', undefined],
] as const)('prometheusName turns %s in group %s into %s of type %s (P-193)', (name, group, wanted, type) => {
  expect(prometheusName(name, group)).toEqual({ name: wanted, type })
})
