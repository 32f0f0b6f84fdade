/**
 * The most memory that a configuration may take, and its parts: what each connection may hold at the worst times their
 * number, and the bounds that all share.
 */

import { MAX_ROUTES, MAX_WAITING_BYTES } from '../../backplane/limits.ts'
import type { DaemonSettings, MeshSettings } from '../../daemon/settings.ts'
import { MAX_STUN_BYTES } from '../../daemon/stun/stun-thread.ts'
import { byRuntime } from '../../lib/runtime.ts'
import { MAX_MEMORY_IN_USE } from '../../listen/memory-room.ts'
import { MAX_FRAGMENTS, MAX_RECEIVED_MESSAGE_BYTES } from '../../listen/node/websocket.ts'
import { MAX_LINK_BYTES } from '../../mesh/forward-sender.ts'
import { MAX_CLIENT_INFO_LENGTH, MAX_PACKET_LENGTH } from '../../protocol/constants.ts'
import { MAX_GONE_PAIRS } from '../../server/gone-subscribers.ts'
import { DEFAULTS } from '../../server/options.ts'
import { MAX_ALL_SOURCES, MAX_SOURCES, MIN_SOURCES } from '../../server/peer-gone.ts'
import { MAX_LOGIN_BYTES } from '../../server/reading/login-memory.ts'
import { MAX_UNTAKEN_BYTES } from '../../workers/link/packet-link.ts'

const { maxWriteBytes: MAX_WRITE_BYTES, sendQueuePackets: SEND_QUEUE_PACKETS } = DEFAULTS

export interface MemoryPart {
  readonly name: string
  readonly bytes: number
}

/** The program at rest, with what its runtime keeps spare. */
const PROGRAM_BYTES = byRuntime({ node: 180 << 20, bun: 140 << 20 })
/** Each further thread. */
const THREAD_BYTES = 60 << 20
/** A quiet logged-in client, buffers of TLS included. */
const CLIENT_BYTES = { plain: 16 << 10, tls: 64 << 10 } as const
/** What a socket reads at once; it stays until all of it has been handled. */
const READ_BYTES = 64 << 10
/** A message over WebSocket, each fragment of which may keep what it was read with; a frame over other connections is less. */
const RECEIVED_BYTES = MAX_RECEIVED_MESSAGE_BYTES + (MAX_FRAGMENTS + 1) * READ_BYTES
/** A write is full with its last packet. */
const WRITE_BYTES = MAX_WRITE_BYTES + MAX_PACKET_LENGTH
/** Both queues of a slow reader, and its write under way. */
const QUEUE_BYTES = 2 * SEND_QUEUE_PACKETS * MAX_PACKET_LENGTH + WRITE_BYTES
/** A client of a mesh peer, or another relay's that has a route. */
const REMOTE_CLIENT_BYTES = 1_200
/** A pair of a client and a peer whose departure it is told of; a source that a client remembers. */
const GONE_PAIR_BYTES = 200
const SOURCE_BYTES = 150

/** The parts, the fixed ones first. Where the configuration has no limit, a part is infinite. */
function memoryParts(settings: DaemonSettings): MemoryPart[] {
  const { listen, relay, tls, stun, workers, mesh, region } = settings
  const connections = listen.limits.maxConnections ?? Number.POSITIVE_INFINITY
  const queued = relay.maxQueuedBytes || Number.POSITIVE_INFINITY
  const threads = workers === 1 ? 0 : workers
  const parts: MemoryPart[] = [
    { name: 'program', bytes: PROGRAM_BYTES + threads * THREAD_BYTES },
    { name: 'STUN', bytes: stun === undefined ? 0 : MAX_STUN_BYTES },
    { name: 'connections', bytes: connections * CLIENT_BYTES[tls === undefined ? 'plain' : 'tls'] },
    { name: 'received', bytes: connections * RECEIVED_BYTES },
    { name: 'logins', bytes: Math.min(workers * MAX_LOGIN_BYTES, connections * MAX_CLIENT_INFO_LENGTH) },
    { name: 'slow readers', bytes: Math.min(queued, connections * QUEUE_BYTES) },
    // Encrypted data is buffered besides the plain data.
    { name: 'TLS', bytes: tls === undefined ? 0 : connections * WRITE_BYTES },
    { name: 'departures', bytes: departureBytes(connections, workers) },
    // From each worker to each other, and to and from the main thread.
    { name: 'between workers', bytes: threads * (threads + 1) * MAX_UNTAKEN_BYTES },
    { name: 'mesh', bytes: meshBytes(mesh) },
    { name: 'region', bytes: region === undefined ? 0 : MAX_WAITING_BYTES + MAX_ROUTES * REMOTE_CLIENT_BYTES },
  ]
  return parts.filter(({ bytes }) => bytes > 0)
}

/** What takes the memory in the worst case, for people. @param usableBytes what the machine has. */
export function memoryPlan(settings: DaemonSettings, usableBytes: number): string {
  const parts = memoryParts(settings)
  const total = sum(parts)
  const shown = parts.map(({ name, bytes }) => `${name} ${megabytes(bytes)}`).join(', ')
  const text = `at worst ${megabytes(total)} MB: ${shown}`
  if (total <= usableBytes) return text
  const most = mostConnections(settings, usableBytes)
  const advice = most > 0 ? `; -max-connections ${most} would fit` : ''
  const percent = `${MAX_MEMORY_IN_USE * 100} %`
  return `${text}; there are ${megabytes(usableBytes)} MB, so new connections are refused while ${percent} is in use${advice}`
}

/** The number of connections that fit in the worst case; 0 if the rest alone does not fit. */
function mostConnections(settings: DaemonSettings, usableBytes: number): number {
  const { listen } = settings
  const fits = (maxConnections: number) =>
    sum(memoryParts({ ...settings, listen: { ...listen, limits: { ...listen.limits, maxConnections } } })) <=
    usableBytes
  let [least, most] = [0, 2 ** 24]
  while (least < most) {
    const middle = Math.ceil((least + most) / 2)
    if (fits(middle)) least = middle
    else most = middle - 1
  }
  return least
}

/** One client hears at a time from as many others as there are connections, and remembers those that have left. */
function departureBytes(connections: number, workers: number): number {
  const pairs = Math.min(MAX_GONE_PAIRS, connections ** 2)
  const sources = Math.min(workers * MAX_ALL_SOURCES + connections * MIN_SOURCES, connections * MAX_SOURCES)
  return pairs * GONE_PAIR_BYTES + sources * SOURCE_BYTES
}

function meshBytes({ peers, maxClients }: MeshSettings): number {
  if (peers.length === 0) return 0
  const clients = maxClients === 0 ? Number.POSITIVE_INFINITY : maxClients
  return peers.length * (MAX_LINK_BYTES + clients * REMOTE_CLIENT_BYTES)
}

function sum(parts: readonly MemoryPart[]): number {
  return parts.reduce((total, { bytes }) => total + bytes, 0)
}

function megabytes(bytes: number): string {
  return bytes === Number.POSITIVE_INFINITY ? 'without limit' : String(Math.ceil(bytes / 1e6))
}
