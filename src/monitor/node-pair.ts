/** Two clients at two relays of a region, or both at one, with a path between them that has carried a packet. */

import type { DERPNode } from '../derpmap/types.ts'
import { equalBytes } from '../lib/bytes.ts'
import { DerpError } from '../lib/derp-error.ts'
import { formatDuration } from '../lib/duration.ts'
import { sleep } from '../lib/sleep.ts'
import { withTimeLimit } from '../lib/time-limit.ts'
import { DISCO_MAGIC, MIN_DISCO_LENGTH } from '../protocol/disco.ts'
import { untilFirst } from './loops.ts'
import type { MonitorPorts, PathEnd, ProbeClient } from './ports.ts'
import type { ProbeContext } from './probe-class.ts'

/** The nodes of a path, which may be one. */
export interface NodePair {
  readonly from: DERPNode
  readonly to: DERPNode
}

/** A connected path. */
export interface OpenPair extends NodePair {
  readonly sender: ProbeClient
  readonly receiver: ProbeClient
}

export type PairPorts = Pick<MonitorPorts, 'clock' | 'connect' | 'randomBytes'>

export interface PairRun {
  readonly ports: PairPorts
  readonly context: ProbeContext
  /** Whether the relays are told that these are probers: they log all packets of such clients. */
  readonly isProber: boolean
}

/**
 * Milliseconds before the greeting is repeated when the relay does not know the receiver: news of a client takes a moment
 * to reach mesh peers, and of these answers a relay gives three at once, then one a second (P-061).
 */
const REPEAT_AFTER_MS: readonly number[] = [100, 400]
const LATER_REPEAT_AFTER_MS = 1_000
const GREETING_TIMEOUT_MS = 30_000

/** Label of the path of a pair, as in the original. */
export function pathLabel(from: string, to: string): { readonly derp_path: 'single' | 'mesh' } {
  return { derp_path: from === to ? 'single' : 'mesh' }
}

/** Connects both ends, proves the path by a packet, and hands it to `use`. Closes both in any case. */
export async function withPair<T>(
  { from, to }: NodePair,
  run: PairRun,
  use: (open: OpenPair) => Promise<T>,
): Promise<T> {
  const clients: ProbeClient[] = []
  const connect = async (node: DERPNode, end: PathEnd) => {
    run.context.step(`connect to ${node.Name} as ${end}`)
    const client = await run.ports.connect({ node, end, isProber: run.isProber }, run.context.signal)
    clients.push(client)
    return client
  }
  try {
    const open = { from, to, sender: await connect(from, 'sender'), receiver: await connect(to, 'receiver') }
    try {
      await greet(open, run)
      return await use(open)
    } catch (error) {
      throw named(open, error)
    }
  } finally {
    await Promise.all(clients.map(client => client.close().catch(() => {})))
  }
}

/** Passes payloads from the sender to `onPacket` until that returns true. */
export async function receivePackets(
  { to, sender, receiver }: OpenPair,
  stop: AbortSignal,
  onPacket: (data: Uint8Array) => boolean,
): Promise<void> {
  for (;;) {
    const message = await receiver.recv(stop)
    if (message.type !== 'receivedPacket') continue
    if (!message.source.equals(sender.selfPublicKey())) {
      throw failed(`receive at ${to.Name}: a packet of ${message.source.shortString()}, who is not the sender`)
    }
    if (onPacket(message.data)) return
  }
}

/** Reads what the relay tells the sender, until that is that it does not know the receiver. */
export async function untilNotKnown({ sender, receiver }: OpenPair, stop: AbortSignal): Promise<void> {
  for (;;) {
    const message = await sender.recv(stop)
    if (message.type === 'peerGone' && message.peer.equals(receiver.selfPublicKey())) return
  }
}

export function failed(message: string): DerpError {
  return new DerpError('ERR_DERP_PROBE_FAILED', message)
}

/** Proves the path; within a time of its own, as continuous probes have none. */
async function greet(open: OpenPair, { ports, context }: PairRun): Promise<void> {
  let state = ''
  const note = (text: string) => {
    state = text
    context.step(`${keysOf(open)}: ${text}`)
  }
  note(`no packet of ${open.from.Name} arrived at ${open.to.Name}`)
  const tooLate = () => failed(`${state}: no result within ${formatDuration(GREETING_TIMEOUT_MS)}`)
  const limit = { clock: ports.clock, timeoutMs: GREETING_TIMEOUT_MS, action: 'prove path', tooLate }
  await withTimeLimit({ ...limit, signals: [context.signal] }, stop => exchangeGreeting(open, ports, note, stop))
}

async function exchangeGreeting(
  open: OpenPair,
  { clock, randomBytes }: PairPorts,
  note: (state: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const { from, to, sender, receiver } = open
  const greeting = greetingOf(randomBytes)
  const send = async (stop: AbortSignal) => {
    for (let repeat = 0; !stop.aborted; repeat++) {
      await sender.send(receiver.selfPublicKey(), greeting, stop)
      await untilNotKnown(open, stop)
      const fix = from.Name === to.Name ? '' : '; they need the same mesh key and a link to each other'
      note(`${from.Name} does not know the client that is connected to ${to.Name}${fix}`)
      await sleep(clock, REPEAT_AFTER_MS[repeat] ?? LATER_REPEAT_AFTER_MS, stop)
    }
  }
  const receive = (stop: AbortSignal) =>
    receivePackets(open, stop, data => {
      if (!equalBytes(data, greeting)) throw failed(`receive at ${to.Name}: not the packet that was sent`)
      return true
    })
  await untilFirst(signal, receive, send)
}

/** Shaped like a disco message: only of such packets a relay tells that it does not know the receiver (P-055). */
function greetingOf(randomBytes: PairPorts['randomBytes']): Uint8Array {
  return Uint8Array.from([...DISCO_MAGIC, ...randomBytes(MIN_DISCO_LENGTH - DISCO_MAGIC.length)])
}

/** Failures name both keys, by which the logs of relays know the clients. */
function named(open: OpenPair, error: unknown): DerpError {
  const reason = error instanceof Error ? error.message : String(error)
  return new DerpError('ERR_DERP_PROBE_FAILED', `${keysOf(open)}: ${reason}`, { cause: error })
}

function keysOf({ sender, receiver }: OpenPair): string {
  return `${sender.selfPublicKey().shortString()} -> ${receiver.selfPublicKey().shortString()}`
}
