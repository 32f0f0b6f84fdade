/**
 * Joins what an operator has set into one gate.
 *
 * The deny lists, the local daemon and the admission URL must all agree. A key of the allow list, or a token, takes the
 * place of what daemon and URL would say: they do not know an operator's own clients and probers.
 * Clause: P-040.
 */

import type { AdmissionGate } from '../server/ports.ts'
import { Admission, type AdmissionPorts } from './admission.ts'
import { AdmitUrl } from './admit-url.ts'
import { DeniedAppNames } from './app-names.ts'
import { allOf, anyOf } from './chain.ts'
import { FailOpen } from './fail-open.ts'
import { AllowedKeys, DeniedKeys, type OnRevoked } from './key-file.ts'
import { LastKnownGood } from './last-known-good.ts'
import { LocalDaemon } from './local-daemon.ts'
import type { Policy } from './policy.ts'
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

/** What {@link createAdmission} has made. */
export interface BuiltAdmission {
  readonly gate: AdmissionGate
  /** Looks at the files at once, instead of within seconds. */
  reload(): void
  /** Asks what can be asked without a client. Resolves to what does not work, one line each. */
  problems(): Promise<readonly string[]>
  /** Looks at no file any more. */
  close(): void
}

/**
 * Makes the gate; undefined when nothing is set, so that everybody may connect.
 *
 * @param onRevoked told of keys that a changed file does not let in any more, so that their connections can be ended.
 * @throws DerpError naming the file and line, or the setting, that is no good.
 */
export function createAdmission(
  settings: AdmissionSettings,
  ports: AdmissionPorts,
  onRevoked?: OnRevoked,
): BuiltAdmission | undefined {
  const { deniedAppNames = [], allowKeysFile, denyKeysFile, tokensFile, daemonSocket, url, memoryMs = 0 } = settings
  const deniedApps = deniedAppNames.length === 0 ? undefined : new DeniedAppNames(deniedAppNames)
  const denied = denyKeysFile === undefined ? undefined : new DeniedKeys(denyKeysFile, ports, onRevoked)
  const allowed = allowKeysFile === undefined ? undefined : new AllowedKeys(allowKeysFile, ports, onRevoked)
  const tokens = tokensFile === undefined ? undefined : new Tokens(tokensFile, ports)
  const daemon = daemonSocket === undefined ? undefined : new LocalDaemon(daemonSocket, ports)
  const admitUrl = url === undefined ? undefined : new AdmitUrl(url, ports)
  const remembering = (policy: Policy) => new LastKnownGood(policy, memoryMs, ports)
  const sources: Policy[] = []
  if (daemon !== undefined) sources.push(remembering(daemon))
  if (admitUrl !== undefined) {
    sources.push(settings.urlFailOpen === true ? new FailOpen(remembering(admitUrl), ports) : remembering(admitUrl))
  }
  const ways = present([allowed, tokens, sources.length === 0 ? undefined : allOf(sources)])
  const [first, ...others] = ways
  const policies = present([deniedApps, denied, first === undefined ? undefined : anyOf([first, ...others])])
  if (policies.length === 0) return undefined
  const files: readonly WatchedAnything[] = present([denied?.file, allowed?.file, tokens?.file])
  return {
    gate: new Admission(allOf(policies), ports),
    reload: () => {
      for (const file of files) file.reload()
    },
    problems: async () => present([await daemon?.probe(), admitUrl?.problem]),
    close: () => {
      for (const file of files) file.close()
    },
  }
}

function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter(value => value !== undefined)
}
