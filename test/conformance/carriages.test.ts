import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { hasGo } from '../support/go-tools.ts'
import {
  type RunningTlsRelay,
  startOurRelay,
  startOurTlsRelay,
  startReferenceRelay,
  startReferenceTlsRelay,
} from '../support/relays.ts'
import { RUNTIME_NAME } from '../support/runtime.ts'
import { RUNS_ALL } from '../support/selection.ts'
import { type Candidate, conformance } from './run.ts'
import type { TargetOptions } from './target.ts'

/** The mesh key of all relays here. */
const meshKey = 'a5c3'.repeat(16)

let directory: string
let meshFlags: string[]
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'carriages-'))
  const file = join(directory, 'mesh.key')
  writeFileSync(file, meshKey)
  meshFlags = ['-mesh-psk-file', file]
})
afterAll(() => rmSync(directory, { recursive: true }))

type Shape = Pick<TargetOptions, 'carriage' | 'like'>

/** Starts a relay for a run; TLS ones have a certificate and STUN. */
const started = (start: typeof startOurRelay | typeof startOurTlsRelay, shape: Shape) => async () => {
  const relay = await start(meshFlags)
  const { url } = relay
  const { ca, stunPort }: Partial<RunningTlsRelay> = relay
  return { options: { ...shape, ca, stunPort, url, meshKey, debug: true }, stop: () => relay.stop() }
}

/** Slow cases that do not depend on the transport only run over plain TCP. */
function quick(
  name: string,
  shape: Shape,
  tls: boolean,
  start: typeof startOurRelay | typeof startOurTlsRelay,
): Candidate {
  const known = { ...shape, tls, meshKey, debug: true, quick: true, ...(tls && { stunPort: 1 }) }
  return { name, shape: known, start: started(start, shape) }
}

const both = quick('ours, WebSocket over TLS', { carriage: 'websocket', like: 'ours' }, true, startOurTlsRelay)
const ours: readonly Candidate[] = [
  quick('ours, WebSocket', { carriage: 'websocket', like: 'ours' }, false, startOurRelay),
  quick('ours, TLS', { carriage: 'raw', like: 'ours' }, true, startOurTlsRelay),
]
const stock: readonly Candidate[] = [
  quick('stock derper, WebSocket', { carriage: 'websocket', like: 'original' }, false, startReferenceRelay),
  quick('stock derper, TLS', { carriage: 'raw', like: 'original' }, true, startReferenceTlsRelay),
]

// In sequence: these cases are CPU-bound.
const others = hasGo && RUNTIME_NAME === 'node' ? [...ours, ...stock] : ours
const candidates = RUNS_ALL ? [both, ...others] : [both]
for (const candidate of candidates) describe(candidate.name, () => conformance([candidate]))
