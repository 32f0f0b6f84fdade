/**
 * Admits nodes in the tailnet of the local `tailscaled` (`-verify-clients`).
 *
 * Clause: P-040.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import { explainError } from '../lib/connection-fault.ts'
import { DenialReason } from '../metrics/admission-counters.ts'
import type { AdmissionRequest } from '../server/ports.ts'
import type { AdmissionPorts } from './admission.ts'
import { BackendHealth, type EffectOf } from './backend-health.ts'
import { defaultDaemonSocket, getLocal, type LocalAnswer } from './local-api.ts'
import { isOwnShortage } from './own-shortage.ts'
import { type Approval, type Denial, type Policy, SourceDownError } from './policy.ts'
import { DEFAULTS, RequestQueue } from './request-queue.ts'

const WHOIS_PATH = '/localapi/v0/whois?addr='
const STATUS_PATH = '/localapi/v0/status'
const OWN_STATUS_PATH = '/localapi/v0/status?peers=false'
/** Milliseconds for which a status response is cached. */
const STATUS_TTL_MS = 5_000
/** The error of daemons before 1.70, which cannot look up keys, only addresses. */
const REFUSES_KEYS = "invalid 'addr' parameter"
const ADMITTED: Approval = { admit: true, by: 'local tailscaled' }
const UNKNOWN: Denial = {
  admit: false,
  cause: DenialReason.NotInTailnet,
  reason: 'local tailscaled does not know the key',
}

/** Keys in a status: the daemon's own and, if requested, those of its peers. */
type StatusKeys = ReadonlySet<string>

export class LocalDaemon implements Policy {
  readonly #socketPath: string
  readonly #ports: AdmissionPorts
  readonly #watch: BackendHealth
  readonly #queue: RequestQueue
  readonly #statuses = new Map<string, { readonly readAtMs: number; readonly keys: Promise<StatusKeys> }>()
  /** The daemon cannot look up keys. */
  #isOld = false

  /**
   * @param socketPath empty for the platform's default.
   * @param effectOf what to log with a failure.
   */
  constructor(socketPath: string, ports: AdmissionPorts, effectOf: EffectOf = () => '') {
    this.#socketPath = socketPath || defaultDaemonSocket()
    this.#ports = ports
    this.#watch = new BackendHealth('local_daemon', ports, effectOf)
    this.#queue = new RequestQueue('local_daemon', ports.requests ?? DEFAULTS, ports.clock)
  }

  /** Why the last request failed, if it did. */
  get problem(): string | undefined {
    return this.#watch.problem
  }

  admit({ clientKey }: AdmissionRequest): Promise<Approval | Denial> {
    return this.#watch.over(this.#isOld ? this.#lookUpInList(clientKey) : this.#lookUp(clientKey))
  }

  /** Probes the daemon itself, uncached. Resolves to the reason and effect if it does not respond. */
  probe(): Promise<string | undefined> {
    return this.#watch.probe(this.#readStatus(OWN_STATUS_PATH))
  }

  async #lookUp(key: NodePublicKey): Promise<Approval | Denial> {
    const { status, text } = await this.#get(WHOIS_PATH + encodeURIComponent(key.toString()))
    if (status === 200) {
      jsonObject(text)
      return ADMITTED
    }
    // A daemon that is logged out knows no keys, which is no denial; before 1.86 it does not know its own key either.
    if (status === 404) return verdictOf(await this.#keysOf(OWN_STATUS_PATH), key)
    if (status !== 400 || !text.includes(REFUSES_KEYS)) throw badAnswer(`status ${status} ${firstLine(text)}`)
    this.#isOld = true
    this.#ports.log.warn('local tailscaled is too old to look up keys, reading its peer list instead: update it')
    return this.#lookUpInList(key)
  }

  async #lookUpInList(key: NodePublicKey): Promise<Approval | Denial> {
    return verdictOf(await this.#keysOf(STATUS_PATH), key)
  }

  /** The keys in a status. One request at a time, shared by concurrent callers and cached briefly. */
  async #keysOf(path: string): Promise<StatusKeys> {
    const nowMs = this.#ports.clock.now()
    let read = this.#statuses.get(path)
    if (read === undefined || nowMs - read.readAtMs >= STATUS_TTL_MS) {
      read = { readAtMs: nowMs, keys: this.#readStatus(path) }
      this.#statuses.set(path, read)
    }
    try {
      return await read.keys
    } catch (error) {
      this.#statuses.delete(path)
      throw error
    }
  }

  async #readStatus(path: string): Promise<StatusKeys> {
    const { status, text } = await this.#get(path)
    if (status !== 200) {
      const hint = this.#isOld ? '; it is too old for this relay' : ''
      throw badAnswer(`status request returned ${status} ${firstLine(text)}${hint}`)
    }
    const { BackendState: state, Self: self, Peer: peers } = jsonObject(text)
    if (typeof state === 'string' && state !== 'Running') throw badAnswer(`state is ${state}`)
    const own = isObject(self) && typeof self['PublicKey'] === 'string' ? [self['PublicKey']] : []
    return new Set([...own, ...(isObject(peers) ? Object.keys(peers) : [])])
  }

  async #get(path: string): Promise<LocalAnswer> {
    return this.#queue.run(async () => {
      try {
        return await getLocal(this.#socketPath, path, this.#ports.clock)
      } catch (cause) {
        const isOwn = isOwnShortage(cause)
        // It may be upgraded while it is down.
        if (!isOwn) this.#isOld = false
        const reason = `ask local tailscaled at ${this.#socketPath}: ${explainError(cause)}`
        throw new SourceDownError('local_daemon', reason, { isTransport: true, isOwn, cause })
      }
    })
  }
}

function verdictOf(keys: StatusKeys, key: NodePublicKey): Approval | Denial {
  return keys.has(key.toString()) ? ADMITTED : UNKNOWN
}

function jsonObject(text: string): Record<string, unknown> {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    parsed = undefined
  }
  if (!isObject(parsed)) throw badAnswer('its response is not a JSON object')
  return parsed
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function badAnswer(reason: string): SourceDownError {
  return new SourceDownError('local_daemon', `ask local tailscaled: ${reason}`, { isTransport: false })
}

function firstLine(text: string): string {
  return JSON.stringify(text.trim().split('\n', 1)[0]?.slice(0, 200) ?? '')
}
