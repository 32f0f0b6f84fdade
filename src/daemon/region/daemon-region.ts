/** The daemon's relay in a region over NATS: joins, reports its state, leaves. */

import { Backplane } from '../../backplane/backplane.ts'
import { LISTEN_MS } from '../../backplane/limits.ts'
import type { OpenLink } from '../../backplane/members.ts'
import { NatsBus } from '../../backplane/nats-bus.ts'
import { OnDemandLink } from '../../backplane/on-demand-link.ts'
import { relayIdOf } from '../../backplane/stamp.ts'
import { encodeUtf8 } from '../../lib/bytes.ts'
import type { Clock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { TextFile } from '../../lib/files/node-text-file.ts'
import { sleep } from '../../lib/sleep.ts'
import { linkDialer } from '../../mesh/dial-link.ts'
import { MeshLinkCounters } from '../../metrics/mesh-counters.ts'
import type { RegionSnapshot } from '../../metrics/region-counters.ts'
import type { RegionHost } from '../../server/region-ports.ts'
import type { ReadinessCheck } from '../../status/readiness.ts'
import type { DaemonRelay } from '../daemon-relay.ts'
import type { OutboundSettings, RegionSettings } from '../settings.ts'

/** Longest wait for the region at start, in milliseconds: beyond it the relay joins later. */
const START_MS: number = LISTEN_MS + 1_500

export class DaemonRegion {
  readonly #relay: DaemonRelay
  readonly #settings: RegionSettings
  readonly #outbound: OutboundSettings
  /** Of all links together. */
  readonly #links = new MeshLinkCounters()
  #backplane: Backplane | undefined
  #hasJoined = false
  #stopped: Promise<void> | undefined

  constructor(relay: DaemonRelay, settings: RegionSettings, outbound: OutboundSettings) {
    this.#relay = relay
    this.#settings = settings
    this.#outbound = outbound
  }

  /** A relay that has joined once still serves cached routes and its own clients while NATS is down. */
  get checks(): readonly ReadinessCheck[] {
    const backplane = this.#backplane
    this.#hasJoined ||= backplane?.state === 'joined'
    const degradesOnly = this.#hasJoined && backplane?.state !== 'twin'
    return [
      {
        name: 'region',
        problem: () => (backplane === undefined ? 'the relay is starting' : backplane.problem),
        degradesOnly,
      },
      { name: 'region-clock', problem: () => clockProblem(backplane), degradesOnly: true },
    ]
  }

  snapshot(): RegionSnapshot | undefined {
    const backplane = this.#backplane
    if (backplane === undefined) return undefined
    const nowMs = this.#relay.options.clock.now()
    return {
      counters: backplane.counters,
      isJoined: backplane.state === 'joined',
      members: Array.from(backplane.members, ({ id, url, link, heardAtMs, aheadMs }) => ({
        id,
        url,
        isLinkUp: link.isUp,
        silentMs: nowMs - heardAtMs,
        aheadMs: Math.round(aheadMs),
      })),
      routes: backplane.routes.openRoutes,
      waitingPackets: backplane.finder.waitingPackets,
      links: this.#links,
    }
  }

  /**
   * Joins the region. Resolves once it has, or when it has to wait for NATS and joins later.
   *
   * @param url where the other relays reach this one.
   * @throws DerpError if another relay has its id.
   */
  async start(host: RegionHost, url: string): Promise<void> {
    const { options, publicKey } = this.#relay
    const { clock, log } = options
    const { name, servers, credentialsFile, tls } = this.#settings
    const bus = new NatsBus({
      servers,
      region: name,
      ownId: relayIdOf(publicKey),
      readCredentials: credentialsFile === undefined ? undefined : credentialsReader(credentialsFile, clock),
      tls,
      clock,
      log,
    })
    const ports = { dial: linkDialer(this.#relay, this.#outbound), counters: this.#links, clock, log }
    const openLink: OpenLink = (to, events) => new OnDemandLink(to, ports, events)
    const backplane = new Backplane({ host, bus, openLink, ownKey: publicKey, url, clock, log })
    this.#backplane = backplane
    backplane.start()
    const joining = new AbortController()
    await Promise.race([backplane.settled, sleep(clock, START_MS, joining.signal)])
    joining.abort()
    if (backplane.state === 'twin')
      throw new DerpError('ERR_DERP_CONFIG_INVALID', `join region "${name}": ${backplane.problem}`, { clause: 'P-301' })
  }

  /** Leaves the region and closes all links. */
  stop(): Promise<void> {
    this.#stopped ??= this.#backplane?.stop() ?? Promise.resolve()
    return this.#stopped
  }
}

/** Reads the file without blocking: it may be on a dead mount. */
function credentialsReader(path: string, clock: Clock): () => Promise<Uint8Array> {
  const file = new TextFile(path, clock)
  return async () => encodeUtf8((await file.read()).text)
}

/** The relays whose clocks are too far ahead. */
function clockProblem(backplane: Backplane | undefined): string | undefined {
  const ahead = [...(backplane?.members ?? [])].filter(({ isHeard }) => !isHeard)
  if (ahead.length === 0) return undefined
  const relays = ahead.map(({ url, aheadMs }) => `${url} by ${Math.round(aheadMs / 1_000)} s`).join(', ')
  return `clocks of other relays are ahead, so that their logins are ignored: ${relays}; run NTP on all of them`
}
