import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { hasGo } from '../support/go-tools.ts'
import { startCoresRelay, startOurRelay, startReferenceRelay } from '../support/relays.ts'
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

/** Ours on so many workers; on several of them, what takes long is proved once. */
function onWorkers(workers: number, quick: boolean): Candidate {
  const env = { TAILSCALE_DERPER_MESH_KEY: meshKey }
  return {
    name: workers === 1 ? 'ours, plain' : `ours, plain, ${workers} workers`,
    shape: { ...ours, tls: false, quick },
    start: async () => {
      const relay = workers === 1 ? await startOurRelay([], env) : await startCoresRelay(workers, env)
      return { options: { ...ours, url: relay.url }, stop: () => relay.stop() }
    },
  }
}

// `npm run conformance:workers` has all cases run on all of them.
const isWhole = process.env['DERPHTTP_WORKERS'] === 'all'
const candidates: Candidate[] = [onWorkers(1, false), onWorkers(2, false), onWorkers(4, !isWhole)]
if (hasGo && !isWhole) {
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
