/** Three relays of ours and a stock one over TLS, in their own processes: a full mesh, or a region over NATS beside it. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { commandPath } from '../../support/commands.ts'
import { goTools, hasGo } from '../../support/go-tools.ts'
import { startNatsServer } from '../../support/nats-server.ts'
import { PATIENCE_MS } from '../../support/patience.ts'
import { type Program, startProgram } from '../../support/process.ts'
import { freePort, untilListening } from '../../support/relays.ts'
import { RUNTIME_PATH } from '../../support/runtime.ts'
import { served } from '../../support/served.ts'
import { TestCa } from '../../support/test-ca.ts'
import { Target, type TargetOptions } from '../target.ts'
import type { RegionKind } from './region-case.ts'

const DERPER = commandPath('derper')
const HOST = 'localhost'
const OURS = 3
const meshKey = 'a5c3'.repeat(16)

export interface StartedRegion {
  /** Ours, then the stock one if Go is installed. */
  readonly targets: readonly TargetOptions[]
  readonly restart: (relay: number, signal: 'SIGTERM' | 'SIGKILL') => Promise<void>
  stop(): Promise<void>
}

export async function startRegion(kind: RegionKind): Promise<StartedRegion> {
  const directory = mkdtempSync(join(tmpdir(), 'region-'))
  const at = (name: string) => join(directory, name)
  const ca = await TestCa.create()
  const { certificate, key } = await ca.issue({ dns: [HOST] })
  const files = { 'ca.pem': ca.certificate, [`${HOST}.crt`]: certificate, [`${HOST}.key`]: key, 'mesh.key': meshKey }
  for (const [name, text] of Object.entries(files)) writeFileSync(at(name), text)
  const ports: number[] = []
  while (ports.length < (hasGo ? OURS + 1 : OURS)) ports.push(await freePort())
  const env = { SSL_CERT_FILE: at('ca.pem') }
  const nats = kind === 'nats' ? await startNatsServer() : undefined
  const meshPeers = (some: readonly number[]) => some.map(port => `${HOST}:${port}/127.0.0.1`).join(',')
  const common = (n: number) => {
    const listen = ['-a', `127.0.0.1:${ports[n]}`, '-http-port', '-1', '-stun=false', '-c', at(`${n}.json`)]
    const tls = ['-certmode', 'manual', '-certdir', directory, '-hostname', HOST]
    return [...listen, ...tls, '-mesh-psk-file', at('mesh.key')]
  }
  const startOurs = async (n: number) => {
    const joining = nats === undefined ? ports : ports.slice(OURS)
    const region = nats === undefined ? [] : ['-region', 'conformance', '-nats', nats.url]
    const mesh = joining.length === 0 ? [] : ['-mesh-with', meshPeers(joining)]
    const args = [DERPER, ...common(n), ...mesh, ...region, '-drain-time', '0s']
    const program = await startProgram(RUNTIME_PATH, args, { env })
    await served(program)
    return program
  }
  const programs: Program[] = await Promise.all(Array.from({ length: OURS }, (_, n) => startOurs(n)))
  if (hasGo) {
    const args = [...common(OURS), '-mesh-with', meshPeers(ports.slice(0, OURS))]
    programs.push(await startProgram((await goTools()).derper, args, { env }))
    await untilListening(ports[OURS] as number)
  }
  const targets = ports.map((port, n): TargetOptions => {
    const like = n < OURS ? 'ours' : 'original'
    return { url: `https://${HOST}:${port}/derp`, ca: ca.certificate, carriage: 'raw', like, meshKey, debug: true }
  })
  const untilJoined = (n: number) => untilLinked(new Target(targets[n] as TargetOptions), kind)
  await Promise.all(Array.from({ length: OURS }, (_, n) => untilJoined(n)))
  return {
    targets,
    restart: async (n, signal) => {
      await programs[n]?.stop(signal)
      programs[n] = await startOurs(n)
      await Promise.all(Array.from({ length: OURS }, (_, each) => untilJoined(each)))
    },
    stop: async () => {
      await Promise.all(programs.map(program => program.stop()))
      await nats?.stop()
      rmSync(directory, { recursive: true })
    },
  }
}

/** Waits until a relay knows all others. */
async function untilLinked(target: Target, kind: RegionKind): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS
  const stock = hasGo ? 1 : 0
  const expected = kind === 'nats' ? [stock, OURS - 1] : [OURS - 1 + stock, 0]
  for (;;) {
    const { derphttp } = (await target.vars()) as { derphttp: Record<string, number | undefined> }
    const now = [derphttp['gauge_mesh_links_up'] ?? 0, derphttp['gauge_region_relays'] ?? 0]
    if (now.every((count, at) => count === expected[at])) return
    if (performance.now() > giveUpAtMs) throw new Error(`wait for links of ${target.url}: ${now} of ${expected}`)
    await delay(20)
  }
}
