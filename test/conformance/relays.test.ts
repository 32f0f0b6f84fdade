import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import { hasGo } from '../support/go-tools.ts'
import { startOurRelay, startReferenceRelay } from '../support/relays.ts'
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

const candidates: Candidate[] = [
  {
    name: 'ours, plain',
    shape: { ...ours, tls: false },
    start: async () => {
      const relay = await startOurRelay([], { TAILSCALE_DERPER_MESH_KEY: meshKey })
      return { options: { ...ours, url: relay.url }, stop: () => relay.stop() }
    },
  },
]
if (hasGo) {
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
