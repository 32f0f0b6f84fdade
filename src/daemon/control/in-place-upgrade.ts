/** Both ends of an upgrade in place, in one process: it may take over, and be taken over from (P-177). */

import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import type { Readiness, ReadinessCheck } from '../../status/readiness.ts'
import type { Draining } from '../draining.ts'
import type { Account, UpgradeSettings } from '../settings.ts'
import type { AskedToDrain } from './control-client.ts'
import type { BoundPorts, ControlStatus } from './control-message.ts'
import { ControlServer } from './control-server.ts'
import { assertWell, takeOver } from './takeover.ts'

export interface InPlaceUpgradeParts {
  readonly clock: Clock
  readonly log: Log
  readonly version: string
  readonly account: Account | undefined
  readonly ports: () => BoundPorts
  readonly draining: Pick<Draining, 'run' | 'released'>
  readonly readiness: Pick<Readiness, 'report'>
  readonly admission: { probe(): Promise<unknown>; readonly checks: readonly ReadinessCheck[] }
}

export class InPlaceUpgrade {
  readonly #settings: UpgradeSettings
  readonly #parts: InPlaceUpgradeParts
  readonly #control: ControlServer
  readonly #handedOver = Promise.withResolvers<void>()

  constructor(settings: UpgradeSettings, parts: InPlaceUpgradeParts) {
    const { clock, log, version, account, ports, draining } = parts
    this.#settings = settings
    this.#parts = parts
    this.#control = new ControlServer(settings.controlSocket, {
      clock,
      log,
      status: () => ({ pid: process.pid, version, ports: ports() }),
      account,
      handOver: () => {
        draining.run(true).then(this.#handedOver.resolve, this.#handedOver.reject)
        return draining.released
      },
    })
  }

  /** Resolves when another process has taken over and the drain has ended. */
  get handedOver(): Promise<void> {
    return this.#handedOver.promise
  }

  /** Lets others take over. @throws DerpError if another process listens on the control socket. */
  listen(): Promise<void> {
    return this.#control.listen()
  }

  /**
   * Makes the checks that must pass before any client connects here: otherwise it would be refused what the first
   * grants.
   *
   * @throws DerpError naming the failed check.
   */
  async check(): Promise<void> {
    const { admission } = this.#parts
    await admission.probe()
    assertWell(admission.checks)
  }

  /** Once this process listens beside the first. @throws DerpError if it does not become ready. */
  takeOver(first: ControlStatus): Promise<AskedToDrain | undefined> {
    const { controlSocket: path, readyMs } = this.#settings
    return takeOver({ ...this.#parts, path, readyMs, first, control: this.#control })
  }

  /** Frees the control socket for the next. */
  release(): void {
    this.#control.release()
  }

  close(): void {
    this.#control.close()
  }
}
