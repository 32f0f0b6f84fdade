/** The daemon's listener for metrics and health, with its access rule. */

import type { MetricsAccess } from '../http/metrics/metrics-access.ts'
import { createMetricsListener } from '../http/metrics/metrics-listener.ts'
import type { HttpListener } from '../listen/node/http-listener.ts'
import type { Relay } from '../relay.ts'
import { bind, type WantedPort } from './bind.ts'
import { formatListenAddress } from './listen-address.ts'
import type { MetricsSettings } from './settings.ts'

/** The TCP port to bind. */
export function wantedMetricsPort({ address }: MetricsSettings): WantedPort {
  return { ...address, flag: 'metrics-addr', protocol: 'tcp' }
}

export class MetricsListener {
  /** Applies from the next request on. */
  access: MetricsAccess
  readonly #settings: MetricsSettings
  readonly #listener: HttpListener
  #port: number | undefined

  /** Binds nothing yet. */
  constructor(settings: MetricsSettings, { metrics, readiness }: Pick<Relay, 'metrics' | 'readiness'>) {
    this.#settings = settings
    this.access = settings.access
    this.#listener = createMetricsListener({ metrics, readiness, access: () => this.access })
  }

  /** The bound port; undefined before {@link listen}. */
  get port(): number | undefined {
    return this.#port
  }

  /** Undefined before {@link listen}. */
  get address(): string | undefined {
    if (this.#port === undefined) return undefined
    return formatListenAddress({ ...this.#settings.address, port: this.#port })
  }

  /** @param reusePort whether processes may share the port. @throws DerpError naming the flag whose address cannot be bound. */
  async listen(reusePort: boolean): Promise<void> {
    const wanted = wantedMetricsPort(this.#settings)
    this.#port = (await bind(wanted, () => this.#listener.listen(wanted.port, wanted.host, { reusePort }))).port
  }

  close(): Promise<void> {
    return this.#listener.close()
  }
}
