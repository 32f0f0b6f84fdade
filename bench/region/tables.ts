/** Costs, and predictions beside real runs, as Markdown tables. */

import { type Costs, MESSAGE_RATES, type MessageCost, type PacketCost, packetMicros } from '../../src/sim/plan/costs.ts'
import { table } from '../report/tables.ts'
import { shortNumber, spreadOf } from '../statistics.ts'
import { type Check, errorOf } from './verify.ts'

export function checksTable(checks: readonly Check[]): string {
  const rows = checks.map(check => {
    const { min, median, max } = spreadOf(check.real)
    return [
      String(check.relays),
      check.title,
      check.unit,
      shortNumber(check.predicted),
      shortNumber(median),
      `${shortNumber(min)}–${shortNumber(max)}`,
      signedPercent(errorOf(check)),
    ]
  })
  return table(['relays', 'figure', 'unit', 'predicted', 'real', 'range', 'error'], rows, 'lllrrrr')
}

export function costsTable({ micros, bytes, ms }: Costs): string {
  const packet = (name: string, cost: PacketCost) => [
    [`${name}, 1280 B, alone`, 'µs', shortNumber(packetMicros(cost, 1_280, 1))],
    [`${name}, 1280 B, 8 together`, 'µs', shortNumber(packetMicros(cost, 1_280, 8))],
    [`${name}, 64 B, 8 together`, 'µs', shortNumber(packetMicros(cost, 64, 8))],
  ]
  const message = (name: string, { alone, together }: MessageCost) => [
    [`${name}, ${MESSAGE_RATES.alone} a second`, 'µs', shortNumber(alone)],
    [`${name}, ${shortNumber(MESSAGE_RATES.together)} a second`, 'µs', shortNumber(together)],
  ]
  const kilobytes = (value: number) => shortNumber(value / 1e3)
  const rows = [
    ...packet('packet within a relay', micros.localPacket),
    ...packet('packet between relays, both together', micros.crossPacket),
    ['login over TLS, and its end', 'µs', shortNumber(micros.login)],
    ...message('search, received and answered', micros.find),
    ...message('other message, received', micros.message),
    ['key in a message', 'µs', shortNumber(micros.key)],
    ...message('message into or out of NATS', micros.nats),
    ['client of another relay, full mesh', 'µs', shortNumber(micros.meshPresence)],
    ['relay without clients', 'µs/s', shortNumber(micros.idleRelay)],
    ['memory of a relay without its clients', 'MB', shortNumber(bytes.relay / 1e6)],
    ['memory of a client that has sent', 'KB', kilobytes(bytes.client)],
    ['memory of a route', 'KB', kilobytes(bytes.route)],
    ['memory of a client of another relay, full mesh', 'KB', kilobytes(bytes.meshClient)],
    ['memory of NATS', 'MB', shortNumber(bytes.nats / 1e6)],
    ['start of a relay until it listens', 'ms', shortNumber(ms.listens)],
    ['until its first clients have logged in', 'ms', shortNumber(ms.hasClients)],
    ['until it is connected to NATS', 'ms', shortNumber(ms.hasNats)],
  ]
  return table(['operation', 'unit', 'cost'], rows, 'llr')
}

function signedPercent(share: number): string {
  const percent = Math.round(share * 100)
  return `${percent > 0 ? '+' : ''}${percent} %`
}
