/**
 * Joins what an operator has set into one gate.
 *
 * The deny lists, the local daemon and the admission URL must all agree. A key of the allow list, or a token, takes the
 * place of what daemon and URL would say: they do not know an operator's own clients and probers.
 * Clause: P-040.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import type { AdmissionRule } from '../metrics/admission-counters.ts'
import type { AdmissionGate } from '../server/ports.ts'
import { Admission, type AdmissionPorts } from './admission.ts'
import { AdmitUrl } from './admit-url.ts'
import { DeniedAppNames } from './app-names.ts'
import { countApprovals } from './approvals.ts'
import { allOf, anyOf } from './chain.ts'
import { FailOpen } from './fail-open.ts'
import { AllowedKeys, DeniedKeys } from './key-file.ts'
import { LastKnownGood } from './last-known-good.ts'
import { LocalDaemon } from './local-daemon.ts'
import type { Policy } from './policy.ts'
import { type SourceCheck, SourceChecks } from './source-checks.ts'
import { Tokens } from './tokens.ts'
import type { WatchedFile } from './watched-file.ts'

type WatchedAnything = Pick<WatchedFile<unknown>, 'reload' | 'close'>

/** Who may connect. Without any of these, everybody. */
export interface AdmissionSettings {
  /** Application names of clients that are not let in; empty for none. */
  readonly deniedAppNames?: readonly string[] | undefined
  /** File of keys that are let in. */
  readonly allowKeysFile?: string | undefined
  /** File of keys that are not. */
  readonly denyKeysFile?: string | undefined
  /** File of bearer tokens. */
  readonly tokensFile?: string | undefined
  /** Socket of the local `tailscaled` that must know each client; empty for the usual one. */
  readonly daemonSocket?: string | undefined
  /** URL that must agree to each client. */
  readonly url?: string | undefined
  /** Whether clients are let in when the URL is out of reach. */
  readonly urlFailOpen?: boolean | undefined
  /** Milliseconds for which a yes of daemon or URL counts when it cannot be asked; 0 for none. */
  readonly memoryMs?: number | undefined
}

/** Is told of changed files, so that connections can be ended of whom they do not let in any more. */
export interface Revocations {
  /** A key is off the allow list, or on the deny list. */
  readonly onKey: (key: NodePublicKey) => void
  /** A token is not known any more. */
  readonly onToken: () => void
}

/** What {@link createAdmission} has made. */
export interface BuiltAdmission {
  readonly gate: AdmissionGate
  /** Looks at the files at once, instead of within seconds. */
  reload(): void
  /** Whether the sources answer, for readiness; kept up to date from {@link start} on. */
  readonly checks: readonly SourceCheck[]
  /** Begins to ask what can be asked without a client, so that the log tells of a source that is down before one comes. */
  start(): void
  /** Looks at no file any more, and asks nobody. */
  close(): void
}

/**
 * Makes the gate; undefined when nothing is set, so that everybody may connect.
 *
 * @throws DerpError naming the file and line, or the setting, that is no good.
 */
export function createAdmission(
  settings: AdmissionSettings,
  ports: AdmissionPorts,
  { onKey, onToken }: Partial<Revocations> = {},
): BuiltAdmission | undefined {
  const { deniedAppNames = [], allowKeysFile, denyKeysFile, tokensFile, daemonSocket, url, memoryMs = 0 } = settings
  const deniedApps = deniedAppNames.length === 0 ? undefined : new DeniedAppNames(deniedAppNames)
  const denied = denyKeysFile === undefined ? undefined : new DeniedKeys(denyKeysFile, ports, onKey)
  const allowed = allowKeysFile === undefined ? undefined : new AllowedKeys(allowKeysFile, ports, onKey)
  const tokens = tokensFile === undefined ? undefined : new Tokens(tokensFile, ports, onToken)
  const daemon = daemonSocket === undefined ? undefined : new LocalDaemon(daemonSocket, ports)
  const admitUrl = url === undefined ? undefined : new AdmitUrl(url, ports)
  const counted = (policy: Policy, rule: AdmissionRule) => countApprovals(policy, rule, ports.counters)
  const sources = present([
    daemon && new LastKnownGood(counted(daemon, 'local_daemon'), memoryMs, ports),
    admitUrl && failingOpen(new LastKnownGood(counted(admitUrl, 'url'), memoryMs, ports), settings, ports),
  ])
  const ways = present([
    allowed && counted(allowed, 'allow_list'),
    tokens && counted(tokens, 'token'),
    sources.length === 0 ? undefined : allOf(sources),
  ])
  const [first, ...others] = ways
  const way = first === undefined ? undefined : anyOf([first, ...others])
  // Again when the sources have answered: they may take seconds, in which a key can come onto the list.
  const policies = present([deniedApps, denied, way, way && denied])
  if (policies.length === 0) return undefined
  const files: readonly WatchedAnything[] = present([denied?.file, allowed?.file, tokens?.file])
  const loss = { urlFailsOpen: settings.urlFailOpen === true, remembers: memoryMs > 0 }
  const checks = new SourceChecks({ daemon, url: admitUrl }, loss, ports.clock)
  return {
    gate: new Admission(allOf(policies), ports),
    reload: () => {
      for (const file of files) file.reload()
    },
    checks: checks.list,
    start: () => checks.start(),
    close: () => {
      checks.stop()
      for (const file of files) file.close()
    },
  }
}

function failingOpen(policy: Policy, { urlFailOpen }: AdmissionSettings, ports: AdmissionPorts): Policy {
  return urlFailOpen === true ? new FailOpen(policy, ports) : policy
}

function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter(value => value !== undefined)
}
