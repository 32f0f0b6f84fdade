/**
 * Builds one gate from an operator's settings.
 *
 * Deny lists, local daemon and admission URL must all approve. A key on the allow list, or a token, replaces daemon and
 * URL, which do not know an operator's own clients and probers.
 * Clause: P-040.
 */

import type { NodePublicKey } from '../keys/node-key.ts'
import { formatDuration } from '../lib/duration.ts'
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

/** Admission rules. Without any, everyone may connect. */
export interface AdmissionSettings {
  /** Denied application names. */
  readonly deniedAppNames?: readonly string[] | undefined
  /** File of allowed keys. */
  readonly allowKeysFile?: string | undefined
  /** File of denied keys. */
  readonly denyKeysFile?: string | undefined
  /** File of bearer tokens. */
  readonly tokensFile?: string | undefined
  /** Socket of the local `tailscaled` that must know each client; empty for the default. */
  readonly daemonSocket?: string | undefined
  /** URL that must approve each client. */
  readonly url?: string | undefined
  /** Whether clients are admitted while the URL is unreachable. */
  readonly urlFailOpen?: boolean | undefined
  /** Milliseconds for which an approval of daemon or URL counts while it is unreachable; 0 for none. */
  readonly memoryMs?: number | undefined
}

/** Callbacks for changed files, so that clients no longer admitted can be disconnected. */
export interface Revocations {
  /** A key was removed from the allow list or added to the deny list. */
  readonly onKey: (key: NodePublicKey) => void
  /** A token was removed. */
  readonly onToken: () => void
}

/** Result of {@link createAdmission}. */
export interface BuiltAdmission {
  readonly gate: AdmissionGate
  /** Checks the files now instead of at the next poll. */
  reload(): Promise<void>
  /** Readiness checks of the backends, updated after {@link start}. */
  readonly checks: readonly SourceCheck[]
  /** Probes the backends once. Resolves to problems and their effect, for those that do not respond. */
  probe(): Promise<readonly string[]>
  /** Starts probing, so that a backend that is down is logged before a client connects. */
  start(): void
  /** Stops watching files and probing. */
  close(): void
}

/**
 * Creates the gate; undefined if nothing is set, so that everyone may connect.
 *
 * @throws DerpError naming the bad file and line, or setting.
 */
export async function createAdmission(
  settings: AdmissionSettings,
  ports: AdmissionPorts,
  revocations: Partial<Revocations> = {},
): Promise<BuiltAdmission | undefined> {
  const { deniedAppNames = [] } = settings
  const deniedApps = deniedAppNames.length === 0 ? undefined : new DeniedAppNames(deniedAppNames)
  const { daemon, url, policies: sources } = createBackends(settings, ports)
  const { denied, allowed, tokens, files } = await openLists(settings, ports, revocations)
  const counted = (policy: Policy, rule: AdmissionRule) => countApprovals(policy, rule, ports.counters)
  const rules = present([
    allowed && counted(allowed, 'allow_list'),
    tokens && counted(tokens, 'token'),
    sources.length === 0 ? undefined : allOf(sources),
  ])
  const [first, ...others] = rules
  const rule = first === undefined ? undefined : anyOf([first, ...others])
  // Checked again after the backends, which may take seconds: a key may have been denied meanwhile.
  const policies = present([deniedApps, denied, rule, rule && denied])
  if (policies.length === 0) return undefined
  const { urlFailOpen: urlFailsOpen = false, memoryMs = 0 } = settings
  const checks = new SourceChecks({ daemon, url }, { urlFailsOpen, remembers: memoryMs > 0 }, ports.clock)
  return {
    gate: new Admission(allOf(policies), ports),
    reload: async () => {
      await Promise.all(files.map(file => file.reload()))
    },
    checks: checks.list,
    probe: () => checks.probe(),
    start: () => checks.start(),
    close: () => {
      checks.stop()
      url?.close()
      for (const file of files) file.close()
    },
  }
}

/** Backends asked over the network. */
interface Backends {
  readonly daemon: LocalDaemon | undefined
  readonly url: AdmitUrl | undefined
  /** All of them must approve. */
  readonly policies: readonly Policy[]
}

/** @throws DerpError naming the bad setting. */
function createBackends(
  { daemonSocket, url: text, urlFailOpen = false, memoryMs = 0 }: AdmissionSettings,
  ports: AdmissionPorts,
): Backends {
  const daemon =
    daemonSocket === undefined ? undefined : new LocalDaemon(daemonSocket, ports, () => lossEffect(false, memoryMs))
  const url =
    text === undefined
      ? undefined
      : new AdmitUrl(text, ports, isTransport => lossEffect(isTransport && urlFailOpen, memoryMs))
  const remembered = (policy: Policy, rule: AdmissionRule) =>
    new LastKnownGood(countApprovals(policy, rule, ports.counters), memoryMs, ports)
  const policies = present([
    daemon && remembered(daemon, 'local_daemon'),
    url && failingOpen(remembered(url, 'url'), urlFailOpen, ports),
  ])
  return { daemon, url, policies }
}

/** Effect on clients while a backend does not respond. */
function lossEffect(failsOpen: boolean, memoryMs: number): string {
  if (failsOpen) return 'until it responds, it refuses nobody'
  if (memoryMs === 0) return 'until it responds, it admits nobody'
  return `until it responds, it admits only clients that it approved within ${formatDuration(memoryMs)}`
}

/** Open lists. */
interface Lists {
  readonly denied?: DeniedKeys
  readonly allowed?: AllowedKeys
  readonly tokens?: Tokens
  readonly files: readonly WatchedAnything[]
}

/** Opens all lists or none. Rejects with a DerpError naming file and line. */
async function openLists(
  { allowKeysFile, denyKeysFile, tokensFile }: AdmissionSettings,
  ports: AdmissionPorts,
  { onKey, onToken }: Partial<Revocations>,
): Promise<Lists> {
  const files: WatchedAnything[] = []
  const opened = async <T extends { readonly file: WatchedAnything }>(opening: Promise<T>): Promise<T> => {
    const list = await opening
    files.push(list.file)
    return list
  }
  try {
    return {
      ...(denyKeysFile !== undefined && { denied: await opened(DeniedKeys.open(denyKeysFile, ports, onKey)) }),
      ...(allowKeysFile !== undefined && { allowed: await opened(AllowedKeys.open(allowKeysFile, ports, onKey)) }),
      ...(tokensFile !== undefined && { tokens: await opened(Tokens.open(tokensFile, ports, onToken)) }),
      files,
    }
  } catch (error) {
    for (const file of files) file.close()
    throw error
  }
}

function failingOpen(policy: Policy, urlFailOpen: boolean, ports: AdmissionPorts): Policy {
  return urlFailOpen ? new FailOpen(policy, ports) : policy
}

function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter(value => value !== undefined)
}
