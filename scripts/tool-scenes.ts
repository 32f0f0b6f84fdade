/** Commands whose transcripts are in docs/operate/. */

import { join } from 'node:path'
import type { Scene, Stage } from './tool-transcripts.ts'

const PIN = /sha256-raw:[0-9a-f]{64}/g
const SHOWN_PIN = `sha256-raw:${'9f86d081884c7d65'.repeat(4)}`
const DATE = /\d{4}-\d\d-\d\d/g

/** Shows the loopback relay as a public one on default ports. */
function asPublic({ selfSigned, stunPort }: Stage) {
  return [
    [new RegExp(`\\s*(derpport|stunport): (${selfSigned.port}|${stunPort})`, 'g'), ''],
    ['127.0.0.1', '203.0.113.7'],
    [PIN, SHOWN_PIN],
    [DATE, '2027-11-29'],
  ] as const
}

/** The same for what doctor says, which has times, keys and ports of this run. */
function asExamined({ selfSigned, stunPort, plain }: Stage) {
  return [
    [new RegExp(`:(?:${selfSigned.port}|${plain.port})\\b`, 'g'), ':443'],
    [`:${stunPort}`, ':3478'],
    [/our address: 127\.0\.0\.1:\d+/g, 'our address: 198.51.100.20:41641'],
    ['127.0.0.1', '203.0.113.7'],
    [/^(.{38}) +\d+ ms {2}/gm, '$1   12 ms  '],
    [/\d+\.\d ms/g, '12.1 ms'],
    [/\[[\w+/]{5}\]/g, '[k3mVw]'],
    [PIN, SHOWN_PIN],
    [DATE, '2027-11-29'],
  ] as const
}

/** The same for netcheck. */
function asMeasured() {
  return [
    [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '2026-11-29T12:00:00.000Z'],
    [/yes, 127\.0\.0\.1:\d+/g, 'yes, 198.51.100.20:41641'],
    ['127.0.0.1', '203.0.113.8'],
    [/(- lab: )[\d.]+(?:µs|ms|s) +/g, '$112.1ms  '],
    [/HTTPS [\d.]+(?:µs|ms|s)/g, 'HTTPS 24.9ms'],
    [/fastest at [\d.]+ ms/g, 'fastest at 12.1 ms'],
  ] as const
}

/** The same for probes. */
function asProbed({ selfSigned }: Stage) {
  return [
    [`:${selfSigned.port}`, ':443'],
    ['127.0.0.1', '203.0.113.8'],
    [/^(good: \S+: )[\d.]+m?s$/gm, '$112.1ms'],
  ] as const
}

const KEY = /nodekey:[0-9a-f]{64}/g
const SHOWN_KEY = `nodekey:${'3f1c07'.repeat(11).slice(0, 64)}`

/** The same for transfers. */
function asTransferred() {
  return [
    [KEY, SHOWN_KEY],
    [/in [\d.]+ s, [\d.]+ .B\/s/g, 'in 0.4 s, 6.25 MB/s'],
  ] as const
}

/** The same for clients. */
function asConnected() {
  return [
    [/\[[\w+/]{5}\] {2}127\.0\.0\.1:\d+ {2}\S+ +/g, '[Pxwcz]  198.51.100.20:41641  1h12m5s    '],
    [/^key +address +connected/gm, 'key      address              connected'],
  ] as const
}

/** Drawn as it was in one run: its lines depend on the latencies. */
const HISTOGRAM = `  ≤ 0.2 ms    19    0.4 %  ▎
  ≤ 0.5 ms  1507   30.1 %  ██████████████████████████▋
    ≤ 1 ms  2261   45.2 %  ████████████████████████████████████████
    ≤ 2 ms  1032   20.6 %  ██████████████████▎
    ≤ 5 ms   175    3.5 %  ███▏
   ≤ 10 ms     6    0.1 %  ▏`

/** The same for loads, which the scene keeps short. */
function asLoaded() {
  const latency = (times: string) =>
    times.split(' ').map((ms, at) => `${['p50', 'p90', 'p99', 'p99.9', 'max'][at]} ${ms} ms`)
  return [
    ['200 packets/s in all, 0.2 s', '500 packets/s in all, 10 s'],
    [/(packets {4}).*/g, '$1sent 5000, received 5000, lost 0'],
    [/(payload {4}).*/g, '$1sent 6.40 MB, received 6.40 MB'],
    [/(received {3}).*/g, '$1500 packets/s, 640 kB/s'],
    [/(latency {4}).* ms, /g, `$1${latency('0.70 1.39 3.10 5.07 6.14').join(', ')}, `],
    [/(sent late {2}).* ms, /g, `$1${latency('0.41 0.92 2.05 4.01 5.12').join(', ')}, `],
    [/ *≤[\s\S]*%[^\n]*/g, HISTOGRAM],
  ] as const
}

const inFolder =
  (...args: string[]) =>
  ({ directory }: Stage) =>
    args.map(arg => (/\.(?:hujson|yaml|json)$/.test(arg) ? join(directory, arg) : arg))

export const TOOL_SCENES: Readonly<Record<string, Scene>> = {
  doctor: {
    shown: 'derp doctor 203.0.113.7',
    args: ({ selfSigned, stunPort, plain }) =>
      `doctor --stun-port ${stunPort} --http-port ${plain.port} 127.0.0.1:${selfSigned.port}`.split(' '),
    replace: asExamined,
  },
  'doctor-pin': {
    shown: `derp doctor --pin ${SHOWN_PIN} 203.0.113.7`,
    args: ({ selfSigned, stunPort, plain, pin }) =>
      `doctor --pin ${pin} --stun-port ${stunPort} --http-port ${plain.port} 127.0.0.1:${selfSigned.port}`.split(' '),
    replace: asExamined,
  },
  netcheck: { shown: 'derp netcheck lab.json', args: inFolder('netcheck', 'lab.json'), replace: asMeasured },
  probe: {
    command: 'derpprobe',
    shown: 'derpprobe -once -derp-map lab.json',
    // Spread runs take as long as an interval; what fails is logged besides.
    args: inFolder('-once', '-derp-map', 'lab.json', '-spread=false', '-log-level=error'),
    replace: asProbed,
  },
  // Before the transfer, after which its receiver is gone.
  clients: {
    shown: 'derp clients relay.example',
    args: ({ plain }) => ['clients', `http://127.0.0.1:${plain.port}`],
    replace: asConnected,
  },
  cat: {
    shown: `derp cat --file backup.tar --to ${SHOWN_KEY.slice(0, 14)}… relay.example`,
    args: ({ directory, receiverKey, plain }) => [
      'cat',
      '--file',
      join(directory, 'backup.tar'),
      '--to',
      receiverKey,
      `http://127.0.0.1:${plain.port}`,
    ],
    replace: asTransferred,
  },
  bench: {
    shown: 'derp bench --rate 500 relay.example',
    args: ({ plain }) => `bench --rate 200 --duration 200ms --warmup 1ms http://127.0.0.1:${plain.port}`.split(' '),
    replace: asLoaded,
  },
  'map-make': {
    shown: 'derp map make --for headscale --region-code lab --region-name Lab 203.0.113.7',
    args: ({ selfSigned, stunPort }) =>
      `map make --for headscale --region-code lab --region-name Lab --stun-port ${stunPort} 127.0.0.1:${selfSigned.port}`.split(
        ' ',
      ),
    replace: asPublic,
  },
  'map-lint': { shown: 'derp map lint policy.hujson', args: inFolder('map', 'lint', 'policy.hujson') },
  'map-show': { shown: 'derp map show new.yaml', args: inFolder('map', 'show', 'new.yaml') },
  'map-diff': { shown: 'derp map diff old.yaml new.yaml', args: inFolder('map', 'diff', 'old.yaml', 'new.yaml') },
}
