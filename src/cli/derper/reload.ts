/** SIGHUP: reloads settings that can change at runtime, and logs each result in one line. */

import type { AdmissionSettings } from '../../admission/create-admission.ts'
import type { LiveSettings } from '../../daemon/settings.ts'
import type { Log } from '../../lib/log.ts'
import type { RateLimit } from '../../server/reading/rate-limit.ts'
import type { SourcedFlags } from '../flag-sources.ts'
import { DERPER_FLAGS, type DerperFlagValues } from './derper-flags.ts'
import { ADMISSION_FLAGS } from './flags/admission.ts'
import type { DerperFlag } from './flags/derper-flag.ts'
import { admissionSettings } from './settings/admission-settings.ts'
import { liveSettings } from './settings/live-settings.ts'
import { rateLimitSetting } from './settings/relay-settings.ts'

/** What a reload changes in the daemon. */
export interface ReloadTarget {
  /** @param admission undefined when unchanged. Rejects with a DerpError; then nothing has changed. */
  applySettings(settings: LiveSettings, admission: AdmissionSettings | undefined): Promise<void>
  applyRateLimit(limit: RateLimit | undefined): void
  /** Checks polled files now; each logs its own result. */
  reloadFiles(): Promise<void>
}

/** A changed file of a unit's environment reaches a process only when that starts. */
const NOTHING_TO_READ = 'without -config, flags and variables change at a restart only'

type GivenFlags = Pick<SourcedFlags<typeof DERPER_FLAGS>, 'values' | 'given'>

export class Reload {
  readonly #target: ReloadTarget
  readonly #log: Log
  readonly #read: () => Promise<GivenFlags>
  #flags: GivenFlags
  #running: Promise<void> = Promise.resolve()

  /**
   * @param flags the current flags.
   * @param read reads the flags from all sources. Rejects with a DerpError.
   */
  constructor(target: ReloadTarget, log: Log, flags: GivenFlags, read: () => Promise<GivenFlags>) {
    this.#target = target
    this.#log = log
    this.#flags = flags
    this.#read = read
  }

  /** Reloads after any reload in progress. Never rejects. */
  run(): Promise<void> {
    this.#running = this.#running.then(() => this.#reload())
    return this.#running
  }

  async #reload(): Promise<void> {
    await this.#reloadFlags()
    await this.#reloadRateConfig()
    await this.#target.reloadFiles()
  }

  async #reloadFlags(): Promise<void> {
    try {
      const next = await this.#read()
      const changed = changedFlags(this.#flags.values, next.values)
      const live = changed.filter(isLive)
      const flags = withLive(this.#flags, next, live)
      const { values } = flags
      if (live.includes('rate-config')) await rateLimitSetting(values)
      const isAdmission = live.some(name => Object.hasOwn(ADMISSION_FLAGS, name))
      const admission = isAdmission ? await admissionSettings(values) : undefined
      await this.#target.applySettings(liveSettings(values, flags.given), admission)
      this.#flags = flags
      const needRestart = changed.filter(name => !isLive(name))
      const level = needRestart.length === 0 ? 'info' : 'warn'
      const hint = values.config === '' ? NOTHING_TO_READ : undefined
      this.#log[level]('configuration reloaded', { changed: live, needRestart, hint })
    } catch (error) {
      this.#log.error('configuration kept: the new one is invalid', { reason: (error as Error).message })
    }
  }

  async #reloadRateConfig(): Promise<void> {
    const file = this.#flags.values['rate-config']
    try {
      const limit = await rateLimitSetting(this.#flags.values)
      this.#target.applyRateLimit(limit)
      if (file !== '') this.#log.info('rate config applied', { file, ...limit })
    } catch (error) {
      this.#log.error('rate config kept: the new one is invalid', { reason: (error as Error).message })
    }
  }
}

function changedFlags(before: DerperFlagValues, after: DerperFlagValues): (keyof DerperFlagValues)[] {
  const names = Object.keys(DERPER_FLAGS) as (keyof DerperFlagValues)[]
  return names.filter(name => before[name] !== after[name])
}

function isLive(name: keyof DerperFlagValues): boolean {
  const flag: DerperFlag = DERPER_FLAGS[name]
  return flag.live === true
}

/** `before` with values and presence of the `live` flags from `next`. */
function withLive(before: GivenFlags, next: GivenFlags, live: readonly (keyof DerperFlagValues)[]): GivenFlags {
  const given = new Set(before.given)
  for (const name of live) {
    if (next.given.has(name)) given.add(name)
    else given.delete(name)
  }
  const values = Object.fromEntries(live.map(name => [name, next.values[name]]))
  return { values: { ...before.values, ...values }, given }
}
