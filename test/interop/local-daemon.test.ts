import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAdmission } from '../../src/admission/create-admission.ts'
import { NodePrivateKey, NodePublicKey } from '../../src/keys/node-key.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { admissionPorts, requestOf } from '../support/admission.ts'
import { goTools, hasGo, stockDaemon } from '../support/go-tools.ts'
import { type Program, startProgram } from '../support/process.ts'

interface Ready {
  readonly socket: string
  readonly self: string
  readonly peer: string
}

describe.skipIf(!hasGo)('stock tailscaled, logged in to the control server of Tailscale’s own tests', () => {
  const directory = mkdtempSync(join(tmpdir(), 'tailscaled-'))
  let daemon: Program
  let ready: Ready

  beforeAll(async () => {
    const { localapi } = await goTools()
    daemon = await startProgram(localapi, [await stockDaemon(), directory])
    ready = await daemon.lineWhere(line => JSON.parse(line) as Ready)
  }, 600_000)
  afterAll(async () => {
    await daemon?.stop()
    rmSync(directory, { recursive: true })
  })

  /** Result of the stock LocalAPI client. */
  async function askStock(key: string): Promise<string> {
    daemon.write(`${key}\n`)
    return daemon.lineWhere(line => line)
  }

  test('our gate admits nodes that the stock client finds, and denies others; the last good answer outlives the daemon (P-040)', async () => {
    const ports = { ...admissionPorts(), clock: systemClock }
    const admission = await createAdmission({ daemonSocket: ready.socket, memoryMs: 60_000 }, ports)
    if (admission === undefined) throw new Error('make the gate: nothing was made')
    const ask = async (key: string) => {
      const verdict = await admission.gate.admit(requestOf({ clientKey: NodePublicKey.parse(key) }))
      return verdict.admit || verdict.reason
    }
    const stranger = NodePrivateKey.generate().publicKey().toString()
    expect([await askStock(ready.peer), await ask(ready.peer)]).toEqual(['found', true])
    expect([await askStock(stranger), await ask(stranger)]).toEqual([
      'not found',
      'local tailscaled does not know the key',
    ])
    // The relay's own host may use the relay: daemons since 1.86 know their own key.
    expect([await askStock(ready.self), await ask(ready.self)]).toEqual(['not found', true])
    expect(admission.checks.map(({ problem }) => problem())).toEqual([undefined])

    await daemon.stop()
    expect(await ask(ready.peer)).toBe(true)
    expect(await ask(stranger)).toMatch(/^ask local tailscaled at \S+: .*connect (?:ECONNREFUSED|ENOENT)/)
    expect(ports.counters).toMatchObject({ admitted: 3, admittedFromMemory: 1, sourceFailures: { local_daemon: 2 } })
    admission.close()
  })
})
