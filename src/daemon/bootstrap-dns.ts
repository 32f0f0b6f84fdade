/** The names that `/bootstrap-dns` gives, resolved while the daemon runs. */

import { BootstrapNames } from '../http/pages/bootstrap-names.ts'
import type { Log } from '../lib/log.ts'
import type { BootstrapDnsSettings } from './settings.ts'

export class BootstrapDns {
  readonly published: BootstrapNames | undefined
  readonly unpublished: BootstrapNames | undefined

  /** @param onRefresh called when names have been resolved. */
  constructor({ published, unpublished }: BootstrapDnsSettings, log: Log, onRefresh: () => void) {
    const namesIn = (text: string) => (text === '' ? undefined : new BootstrapNames(text, { log, onRefresh }))
    this.published = namesIn(published)
    this.unpublished = namesIn(unpublished)
  }

  start(): void {
    this.published?.start()
    this.unpublished?.start()
  }

  stop(): void {
    this.published?.stop()
    this.unpublished?.stop()
  }
}
