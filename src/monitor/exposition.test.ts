import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { silentLog } from '../lib/log.ts'
import { Histogram } from '../metrics/histogram.ts'
import { probeMetrics } from './exposition.ts'
import { Probe } from './probe.ts'
import type { ProbeClass } from './probe-class.ts'

const clock = new FakeClock({ wallMs: 1_700_000_000_500 })

function probeOf(name: string, probeClass: Partial<ProbeClass>, intervalMs = 15_000): Probe {
  const plan = {
    name,
    intervalMs,
    labels: { region: 'x"y' },
    probeClass: { class: 'tls', probe: async () => [], ...probeClass },
  }
  return new Probe(plan, { clock, log: silentLog })
}

test('probeMetrics names metrics and labels as the original does', async () => {
  const good = probeOf('b', {
    labels: { derp_path: 'mesh' },
    probe: async () => {
      clock.advance(1_500)
      return []
    },
  })
  await good.run()
  const bad = probeOf('a', { probe: () => Promise.reject(new Error('down')) })
  await bad.run()
  const never = probeOf('c', {})
  const [a, b, c] = ['a', 'b', 'c'].map(
    name => `class="tls",${name === 'b' ? 'derp_path="mesh",' : ''}name="${name}",region="x\\"y"`,
  )
  expect(probeMetrics([bad, good, never])).toBe(`# HELP derpprobe_attempts_total Total number of probing attempts
# TYPE derpprobe_attempts_total counter
derpprobe_attempts_total{${a},status="fail"} 1
derpprobe_attempts_total{${a},status="ok"} 0
derpprobe_attempts_total{${b},status="fail"} 0
derpprobe_attempts_total{${b},status="ok"} 1
# HELP derpprobe_end_secs Latest probe end time (seconds since epoch)
# TYPE derpprobe_end_secs gauge
derpprobe_end_secs{${a}} 1700000002
derpprobe_end_secs{${b}} 1700000002
# HELP derpprobe_in_flight Number of probes currently running
# TYPE derpprobe_in_flight gauge
derpprobe_in_flight{${a}} 0
derpprobe_in_flight{${b}} 0
derpprobe_in_flight{${c}} 0
# HELP derpprobe_interval_secs Probe interval in seconds
# TYPE derpprobe_interval_secs gauge
derpprobe_interval_secs{${a}} 15
derpprobe_interval_secs{${b}} 15
derpprobe_interval_secs{${c}} 15
# HELP derpprobe_latency_millis Latest probe latency (ms)
# TYPE derpprobe_latency_millis gauge
derpprobe_latency_millis{${b}} 1500
# HELP derpprobe_result Latest probe result (1 = success, 0 = failure)
# TYPE derpprobe_result gauge
derpprobe_result{${a}} 0
derpprobe_result{${b}} 1
# HELP derpprobe_seconds_total Total amount of time spent executing the probe
# TYPE derpprobe_seconds_total counter
derpprobe_seconds_total{${a},status="fail"} 0
derpprobe_seconds_total{${a},status="ok"} 0
derpprobe_seconds_total{${b},status="fail"} 0
derpprobe_seconds_total{${b},status="ok"} 1.5
# HELP derpprobe_start_secs Latest probe start time (seconds since epoch)
# TYPE derpprobe_start_secs gauge
derpprobe_start_secs{${a}} 1700000002
derpprobe_start_secs{${b}} 1700000000
`)
})

test('probeMetrics shows what a kind of probe counts, while a continuous one runs', async () => {
  const delays = new Histogram([0.005, 0.1])
  delays.observe(0.05)
  const probeClass: Partial<ProbeClass> = {
    class: 'derp_qd',
    probe: () => new Promise(() => {}),
    metrics: () => [{ name: 'derp_qd_probe_delays_seconds', help: 'Delays', type: 'histogram', value: delays }],
  }
  const probe = probeOf('q', probeClass, -10_000)
  void probe.start({ initialDelayMs: 0, isOnce: false })
  await settle()
  const text = probeMetrics([probe])
  const labels = 'class="derp_qd",name="q",region="x\\"y"'
  expect(text).toContain(`derpprobe_result{${labels}} 1\n`)
  expect(text).toContain(`# HELP derpprobe_derp_qd_probe_delays_seconds Delays
# TYPE derpprobe_derp_qd_probe_delays_seconds histogram
derpprobe_derp_qd_probe_delays_seconds_bucket{${labels},le="0.005"} 0
derpprobe_derp_qd_probe_delays_seconds_bucket{${labels},le="0.1"} 1
derpprobe_derp_qd_probe_delays_seconds_bucket{${labels},le="+Inf"} 1
derpprobe_derp_qd_probe_delays_seconds_sum{${labels}} 0.05
derpprobe_derp_qd_probe_delays_seconds_count{${labels}} 1
`)
  expect(text).not.toContain('attempts_total')
  await probe.stop()
})
