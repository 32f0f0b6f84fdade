import { expect, test } from 'vitest'
import { bandwidthProbe } from '../../src/monitor/bandwidth-probe.ts'
import { meshProbe } from '../../src/monitor/mesh-probe.ts'
import type { MonitorPorts, ProbeClient } from '../../src/monitor/ports.ts'
import { Probe } from '../../src/monitor/probe.ts'
import type { ProbeClass } from '../../src/monitor/probe-class.ts'
import { queueDelayProbe } from '../../src/monitor/queue-delay-probe.ts'
import { MonitorRegion } from '../support/monitor-region.ts'
import { settle, until } from '../support/settle.ts'

const INTERVAL_MS = 15_000

/** A probe of the region that is run by hand. */
function probeOf(region: MonitorRegion, probeClass: ProbeClass, intervalMs = INTERVAL_MS): Probe {
  return new Probe({ name: 'test', intervalMs, labels: {}, probeClass }, region.ports)
}

/** Moves time on until the run is over. */
async function ended(region: MonitorRegion, run: Promise<unknown>, stepMs = 50): Promise<void> {
  let isOver = false
  void run.then(() => {
    isOver = true
  })
  for (let step = 0; !isOver && step < 2_000; step++) {
    await settle(2)
    if (!isOver) region.clock.advance(stepMs)
  }
  await run
}

test('mesh probe of one relay sends a packet through it, as a prober, and leaves nothing open', async () => {
  const region = new MonitorRegion()
  const probe = probeOf(
    region,
    meshProbe(() => ({ from: region.a, to: region.a }), region.ports),
  )
  expect(probe.labels).toEqual({ derp_path: 'single' })
  expect(await probe.run()).toMatchObject({ status: 'succeeded', class: 'derp_mesh' })
  expect(region.requests.map(({ node, end, isProber }) => [node.Name, end, isProber])).toEqual([
    ['1a', 'sender', true],
    ['1a', 'receiver', true],
  ])
  expect(region.open).toBe(0)
})

test('mesh probe of two linked relays sends a packet through both', async () => {
  const region = new MonitorRegion()
  await region.mesh()
  const probe = probeOf(
    region,
    meshProbe(() => ({ from: region.a, to: region.b }), region.ports),
  )
  expect(probe.labels).toEqual({ derp_path: 'mesh' })
  const run = probe.run()
  await ended(region, run)
  expect((await run).error).toBeUndefined()
  expect(region.relay('1a').core.counters.packetsForwardedOut).toBe(1)
})

test('mesh probe names two relays that do not know each other', async () => {
  const region = new MonitorRegion()
  const probe = probeOf(
    region,
    meshProbe(() => ({ from: region.a, to: region.b }), region.ports),
  )
  const run = probe.run()
  await ended(region, run)
  expect((await run).error).toMatch(
    /^\[\S+\] -> \[\S+\]: 1a does not know the client that is connected to 1b; they need the same mesh key and a link to each other: no result within 12s$/,
  )
  expect(region.open).toBe(0)
})

test('mesh probe waits for news of the receiver to come to the other relay', async () => {
  const region = new MonitorRegion()
  const probe = probeOf(
    region,
    meshProbe(() => ({ from: region.a, to: region.b }), region.ports),
  )
  const run = probe.run()
  await until(
    () => region.relay('1a').core.counters.peerGoneNotHereFrames > 0,
    'the relay has said that it knows no such peer',
  )
  await region.mesh()
  await ended(region, run)
  expect((await run).error).toBeUndefined()
})

test('mesh probe tells of a relay that nobody reaches, and closes the other end', async () => {
  const region = new MonitorRegion()
  const gone = { ...region.b, Name: '1c' }
  const probe = probeOf(
    region,
    meshProbe(() => ({ from: region.a, to: gone }), region.ports),
  )
  expect((await probe.run()).error).toBe('find relay 1c: nothing listens')
  expect(region.open).toBe(0)
})

test('bandwidth probe carries the whole payload, as no prober, and counts the time', async () => {
  const region = new MonitorRegion()
  const probeClass = bandwidthProbe(() => ({ from: region.a, to: region.a }), 1_000_000, region.ports)
  const probe = probeOf(region, probeClass)
  expect(probe.labels).toEqual({ derp_path: 'single', tcp_in_tcp: 'false' })
  const info = await probe.run()
  expect(info.error).toBeUndefined()
  expect(info.notes).toEqual([expect.stringMatching(/Mbit\/s$/)])
  expect(region.requests.map(({ isProber }) => isProber)).toEqual([false, false])
  // 16 packets of payload and the greeting.
  expect(region.relay('1a').core.counters.packetsSent).toBe(17)
  expect(probe.metrics.map(({ name, value }) => [name, value])).toEqual([
    ['derp_bw_probe_size_bytes', 1_000_000],
    ['derp_bw_transfer_time_seconds_total', expect.any(Number)],
  ])
})

const QUEUE_DELAY = { packetsPerSecond: 10, packetTimeoutMs: 5_000 }

test('queuing delay probe sends at its rate and times each packet', async () => {
  const region = new MonitorRegion()
  const probeClass = queueDelayProbe(() => ({ from: region.a, to: region.a }), QUEUE_DELAY, region.ports)
  const probe = probeOf(region, probeClass, -10_000)
  void probe.start({ initialDelayMs: 0, isOnce: false })
  await until(
    () => probe.metrics[1]?.type === 'histogram' && probe.metrics[1].value.count === 1,
    'the first packet is here',
  )
  for (let step = 0; step < 100; step++) {
    region.clock.advance(10)
    await settle(4)
  }
  expect(probe.metrics).toMatchObject([
    { name: 'derp_qd_probe_dropped_packets', value: 0 },
    { name: 'derp_qd_probe_delays_seconds', value: { count: 11 } },
  ])
  await probe.stop()
  await until(() => region.open === 0, 'both ends are closed')
})

test('queuing delay probe counts a packet that is late as dropped, and its arrival no more', async () => {
  const region = new MonitorRegion()
  const gate = Promise.withResolvers<void>()
  let isHeld = false
  const connect: MonitorPorts['connect'] = async request => {
    const client = await region.connect(request)
    const recv: ProbeClient['recv'] = async signal => {
      const message = await client.recv(signal)
      if (isHeld) await gate.promise
      return message
    }
    return request.end === 'receiver' ? { ...client, recv } : client
  }
  const pair = () => ({ from: region.a, to: region.a })
  const probe = probeOf(region, queueDelayProbe(pair, QUEUE_DELAY, { ...region.ports, connect }), -10_000)
  void probe.start({ initialDelayMs: 0, isOnce: false })
  const arrived = () => (probe.metrics[1]?.type === 'histogram' ? probe.metrics[1].value.count : 0)
  await until(() => arrived() === 1, 'the first packet is here')
  isHeld = true
  region.clock.advance(100)
  await settle()
  region.clock.advance(5_000)
  await settle()
  expect(probe.metrics[0]).toMatchObject({ name: 'derp_qd_probe_dropped_packets', value: 1 })
  isHeld = false
  gate.resolve()
  // What is overdue went at once; of all, only the late one does not count.
  await until(() => arrived() === 51, 'the others have arrived')
  expect(probe.metrics[0]?.value).toBe(1)
  await probe.stop()
})

test('queuing delay probe that runs once ends by itself and sums up', async () => {
  const region = new MonitorRegion()
  const probeClass = queueDelayProbe(() => ({ from: region.a, to: region.a }), QUEUE_DELAY, region.ports)
  const probe = probeOf(region, probeClass, -10_000)
  await ended(region, probe.start({ initialDelayMs: 0, isOnce: true }), 10)
  expect(probe.info).toMatchObject({
    status: 'succeeded',
    notes: [expect.stringMatching(/^50 packets: mean .* 0 dropped$/)],
  })
})
