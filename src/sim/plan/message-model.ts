/**
 * The same rates as those of a simulation, calculated: for regions that are too large to be simulated.
 *
 * It holds for a region in its steady state, with peers chosen by chance.
 */

import { BEAT_MS, COLLECT_MS, MAX_KEYS, NOBODY_MS, ROUTE_IDLE_MS } from '../../backplane/limits.ts'
import type { MessageRate, Rates } from './rates.ts'
import { flowSeconds, localityOf, sharesOf, type Workload } from './workload.ts'

/** Bytes of each kind of message, without its keys. The URL in a beat is taken to have 34. */
const HEAD_BYTES = { beat: 61, here: 14, gone: 9, find: 9, found: 9 }
const KEY_BYTES = 32
const KEY_TIME_BYTES = 40
/** Routes are examined in twelve steps, so that they live for half a step longer on average. */
const ROUTE_LIFE_SECONDS = (ROUTE_IDLE_MS / 1_000) * (1 + 1 / 24)

export function modelRates(workload: Workload): Rates {
  const { relays, clients, awaySeconds, sessionSeconds, flowEverySeconds, flowPackets, replies } = workload
  const others = relays - 1
  const locality = localityOf(workload)
  const logins = clients / sessionSeconds
  const flows = clients / flowEverySeconds
  const present = sessionSeconds / (sessionSeconds + awaySeconds)
  const packets = flows * present * flowPackets * (1 + replies)
  return {
    relays,
    localPackets: packets * locality,
    crossPackets: packets * (1 - locality),
    lostPackets: flows * (1 - present) * flowPackets,
    logins,
    messages: others === 0 ? {} : messagesOf(workload, logins, searchesOf(workload, locality, flows, logins)),
    routes: routesPerRelay(workload, locality),
    links: relays * others * linkProbability((packets * (1 - locality)) / (relays * Math.max(1, others))),
    clients,
  }
}

interface Searches {
  /** Per second: for flows without a route, and for keys whose relay is unknown (P-315). */
  readonly successful: number
  /** For peers that are away. */
  readonly vain: number
}

function searchesOf(workload: Workload, locality: number, flows: number, logins: number): Searches {
  const { awaySeconds, sessionSeconds } = workload
  const away = awaySeconds / (awaySeconds + sessionSeconds)
  // Searches without a result are cached for a while.
  const repeats = 1 + Math.min(flowSeconds(workload), awaySeconds) / (NOBODY_MS / 1_000)
  const missed = flows * (1 - away) * (1 - locality) * missProbability(workload, locality)
  return { successful: missed + logins * doubtsPerLogin(workload, locality), vain: flows * away * repeats }
}

/** Relays that first heard of a client by a packet, whose route then expired while they had clients to notify of its end. */
function doubtsPerLogin(workload: Workload, locality: number): number {
  const { relays, peers, sessionSeconds, flowEverySeconds } = workload
  const useRate = 1 / (flowEverySeconds * peers)
  const endRate = 1 / sessionSeconds
  const contact = 1 - (1 - (chanceAt(workload, locality) * useRate) / (useRate + endRate)) ** (2 * peers)
  const lossRate = useRate + 2 * endRate
  const expires = Math.exp(-lossRate * ROUTE_LIFE_SECONDS)
  const isUsedBefore = ((1 - expires) * useRate) / lossRate
  // The other half is searched for, and thus known.
  return ((relays - 1) * contact * expires) / (1 - isUsedBefore) / 2
}

function messagesOf(workload: Workload, logins: number, { successful, vain }: Searches): Rates['messages'] {
  const { relays } = workload
  const others = relays - 1
  const rate = (published: number, receivers: number, keys: number, head: number, keyBytes: number): MessageRate => ({
    published,
    delivered: published * receivers,
    keys: keys * receivers,
    bytes: (published * head + keys * keyBytes) * receivers,
  })
  const announcements = sharesOf(workload).reduce((sum, share) => sum + announcementsOf(logins * share), 0)
  const searches = successful + vain
  const beats = (relays * 1_000) / BEAT_MS
  return {
    beat: rate(beats, others, 0, HEAD_BYTES.beat, 0),
    here: rate(announcements, others, logins, HEAD_BYTES.here, KEY_TIME_BYTES),
    gone: rate(announcements, others, logins, HEAD_BYTES.gone, KEY_TIME_BYTES),
    find: rate(searches, others, searches, HEAD_BYTES.find, KEY_BYTES),
    // Each is answered by all, and one answer has the key.
    found: {
      published: searches * others,
      delivered: searches * others,
      keys: successful,
      bytes: searches * others * HEAD_BYTES.found + successful * KEY_TIME_BYTES,
    },
  }
}

/** `here` messages per second of a relay with as many logins as departures: both are collected for the same time. */
function announcementsOf(logins: number): number {
  const collectSeconds = COLLECT_MS / 1_000
  const batches = (2 * logins) / (1 + 2 * logins * collectSeconds)
  const hasOne = 1 - Math.exp(-logins * collectSeconds) / 2
  return Math.max(batches * hasOne, (2 * logins) / MAX_KEYS)
}

/**
 * Probability that a flow to another relay finds no route: nobody there has used one for long enough, or the key has
 * connected elsewhere since.
 */
function missProbability(workload: Workload, locality: number): number {
  const { peers, sessionSeconds, flowEverySeconds } = workload
  const atRelay = chanceAt(workload, locality)
  const ownRate = 1 / (flowEverySeconds * peers)
  // Clients at the same relay that send to the key, and those it sends to.
  const useRate = ownRate * (1 + (2 * peers - 1) * atRelay)
  return 1 - aliveProbability(useRate, 1 / sessionSeconds, flowSeconds(workload))
}

function routesPerRelay(workload: Workload, locality: number): number {
  const { clients, relays, peers, sessionSeconds, flowEverySeconds } = workload
  if (relays === 1) return 0
  const remote = (clients * (relays - 1)) / relays
  const useRate = 1 / (flowEverySeconds * peers)
  const alive = aliveProbability(useRate, 1 / sessionSeconds, flowSeconds(workload))
  // A client waits for the end of all that it has heard from.
  const awaited = useRate / (useRate + 2 / sessionSeconds)
  return remote * (1 - (1 - chanceAt(workload, locality) * Math.max(alive, awaited)) ** (2 * peers))
}

/** Probability that one peer of a client is at a particular other relay. */
function chanceAt({ relays }: Workload, locality: number): number {
  return relays === 1 ? 0 : (1 - locality) / (relays - 1)
}

/** Probability that a route exists: used at `useRate`, kept for a while after each use, and lost at `lossRate`. */
function aliveProbability(useRate: number, lossRate: number, useSeconds: number): number {
  const sum = useRate + lossRate
  return (useRate / sum) * (1 - Math.exp(-sum * (ROUTE_LIFE_SECONDS + useSeconds)))
}

/** Probability that a link is open, by its packets per second. */
function linkProbability(packets: number): number {
  return 1 - Math.exp(-packets * (ROUTE_IDLE_MS / 1_000))
}
