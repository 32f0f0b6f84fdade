import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { hasGo } from '../support/go-tools.ts'
import { startNatsServer } from '../support/nats-server.ts'
import { startOurRelay, startOurTlsRelay, startReferenceRelay } from '../support/relays.ts'
import { RUNTIME_NAME } from '../support/runtime.ts'
import { RUNS_ALL } from '../support/selection.ts'
import { type Candidate, conformance } from './run.ts'

/** The mesh key of all relays here. */
const meshKey = 'a5c3'.repeat(16)

let directory: string
let meshKeyFile: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'conformance-'))
  meshKeyFile = join(directory, 'mesh.key')
  writeFileSync(meshKeyFile, `${meshKey}\n`)
})
afterAll(() => rmSync(directory, { recursive: true }))

const ours = { carriage: 'raw', like: 'ours', meshKey, debug: true } as const
const stock = { carriage: 'raw', like: 'original', meshKey, debug: true } as const

/** Ours with this many workers; slow cases run only once. */
function onWorkers(workers: number, quick: boolean): Candidate {
  return {
    name: workers === 1 ? 'ours, plain' : `ours, plain, ${workers} workers`,
    shape: { ...ours, tls: false, quick },
    start: async () => {
      const relay = await startOurRelay(['-workers', `${workers}`], { TAILSCALE_DERPER_MESH_KEY: meshKey })
      return { options: { ...ours, url: relay.url }, stop: () => relay.stop() }
    },
  }
}

/** The same over TLS. */
function onTlsWorkers(workers: number, quick: boolean): Candidate {
  return {
    name: `ours, TLS, ${workers} workers`,
    shape: { ...ours, tls: true, quick },
    start: async () => {
      const relay = await startOurTlsRelay(['-workers', `${workers}`, '-mesh-psk-file', meshKeyFile])
      const { url, ca, stunPort } = relay
      return { options: { ...ours, url, ca, stunPort }, stop: () => relay.stop() }
    },
  }
}

/** One of two relays of a region over NATS. */
function inRegion(): Candidate {
  return {
    name: 'ours, plain, in a region',
    shape: { ...ours, tls: false },
    start: async () => {
      const nats = await startNatsServer()
      const start = () =>
        startOurRelay(['-region', 'test', '-nats', nats.url, '-drain-time', '0s'], {
          TAILSCALE_DERPER_MESH_KEY: meshKey,
        })
      const relays = await Promise.all([start(), start()])
      await Promise.all(relays.map(({ program }) => program.stderrMatch(/"msg":"relay has joined the region"/)))
      return {
        options: { ...ours, url: relays[0].url },
        stop: async () => {
          for (const relay of relays) await relay.stop()
          await nats.stop()
        },
      }
    },
  }
}

// Slow cases are about timeouts, not about the number of workers.
const candidates: Candidate[] = [onWorkers(1, false), onTlsWorkers(2, !RUNS_ALL)]
if (RUNS_ALL) candidates.push(onWorkers(2, false), onWorkers(4, false))
if (hasGo && RUNS_ALL) candidates.push(inRegion())
if (hasGo && RUNTIME_NAME === 'node') {
  candidates.push({
    name: 'stock derper, plain',
    shape: { ...stock, tls: false },
    start: async () => {
      const relay = await startReferenceRelay(['-mesh-psk-file', meshKeyFile])
      return { options: { ...stock, url: relay.url }, stop: () => relay.stop() }
    },
  })
}

conformance(candidates)
