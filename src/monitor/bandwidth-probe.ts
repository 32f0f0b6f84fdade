/** Probes how fast a payload of a given size gets through one relay or two. */

import { equalBytes } from '../lib/bytes.ts'
import { Slots } from '../lib/slots.ts'
import { MAX_PACKET_LENGTH } from '../protocol/constants.ts'
import { untilAborted, untilFirst } from './loops.ts'
import {
  failed,
  type NodePair,
  type OpenPair,
  type PairPorts,
  pathLabel,
  receivePackets,
  withPair,
} from './node-pair.ts'
import type { ProbeClass } from './probe-class.ts'

/** Packets under way: fewer than a relay queues for one client. */
const MAX_UNDER_WAY = 30

export function bandwidthProbe(pairNow: () => NodePair, sizeBytes: number, ports: PairPorts): ProbeClass {
  const { from, to } = pairNow()
  let packets: readonly Uint8Array[] | undefined
  let transferSeconds = 0
  return {
    class: 'derp_bw',
    labels: { ...pathLabel(from.Name, to.Name), tcp_in_tcp: 'false' },
    // Not as a prober, because relays log each packet of one.
    probe: context =>
      withPair(pairNow(), { ports, context, isProber: false }, async open => {
        packets ??= payloads(sizeBytes, ports)
        context.step(`transfer ${sizeBytes} bytes from ${open.from.Name} to ${open.to.Name}`)
        const startMs = ports.clock.now()
        try {
          await transfer(open, packets, context.signal)
        } finally {
          transferSeconds += (ports.clock.now() - startMs) / 1_000
        }
        return [rateNote(sizeBytes, ports.clock.now() - startMs)]
      }),
    metrics: () => [
      {
        name: 'derp_bw_probe_size_bytes',
        help: 'Payload size of the bandwidth prober',
        type: 'gauge',
        value: sizeBytes,
      },
      {
        name: 'derp_bw_transfer_time_seconds_total',
        help: 'Time it took to transfer data',
        type: 'counter',
        value: transferSeconds,
      },
    ],
  }
}

function payloads(sizeBytes: number, { randomBytes }: PairPorts): Uint8Array[] {
  const packets: Uint8Array[] = []
  for (let left = sizeBytes; left > 0; left -= MAX_PACKET_LENGTH) {
    packets.push(randomBytes(Math.min(left, MAX_PACKET_LENGTH)))
  }
  return packets
}

/** Sends all packets, with a bounded number in flight, and compares them with what arrives, in order. */
async function transfer(open: OpenPair, packets: readonly Uint8Array[], signal: AbortSignal): Promise<void> {
  const { sender, receiver, to } = open
  const window = new Slots(MAX_UNDER_WAY)
  const underWay: (() => void)[] = []
  const send = async (stop: AbortSignal) => {
    for (const packet of packets) {
      underWay.push(await window.enter('send packet', stop))
      await sender.send(receiver.selfPublicKey(), packet, stop)
    }
    await untilAborted(stop)
  }
  let arrived = 0
  const receive = (stop: AbortSignal) =>
    receivePackets(open, stop, data => {
      const wanted = packets[arrived]
      if (wanted === undefined || !equalBytes(data, wanted)) {
        throw failed(`receive at ${to.Name}: not packet ${arrived + 1} of ${packets.length}; one was lost or changed`)
      }
      underWay.shift()?.()
      arrived++
      return arrived === packets.length
    })
  await untilFirst(signal, receive, send)
}

function rateNote(sizeBytes: number, ms: number): string {
  return `${((sizeBytes * 8) / 1_000 / Math.max(ms, 0.001)).toFixed(1)} Mbit/s`
}
