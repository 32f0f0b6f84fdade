import { expect, test } from 'vitest'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { MemoryRelay } from '../../test/support/memory-relay.ts'
import { nodeAgreement } from '../keys/node-box.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import type { Directory } from './ports.ts'
import { WHOLE_FRAME_BYTES } from './reading/rate-limit.ts'
import { RelayCore } from './relay-core.ts'
import type { Session } from './session.ts'

const newKey = () => NodePrivateKey.generate().publicKey()

/** The core of a worker, and what it asked its directory for. */
function workerCore() {
  const createdFor: RelayCore[] = []
  const directory: Directory<Session> = {
    connections: 0,
    register: async () => {},
    unregister() {},
    noteActivity: () => undefined,
    subscribePeerGone() {},
    watch: () => undefined,
    closePeer: () => undefined,
  }
  const options = { privateKey: NodePrivateKey.generate(), agreement: nodeAgreement, clock: new FakeClock() }
  const core = new RelayCore(options, of => {
    createdFor.push(of)
    return directory
  })
  return { core, directory, createdFor }
}

test('RelayCore of a worker asks the directory it was given, and has no registry', () => {
  const { core, directory, createdFor } = workerCore()
  expect([core.directory, core.registry, createdFor]).toEqual([directory, undefined, [core]])
  expect(core.directory).toBe(directory)
})

test('RelayCore of a worker takes no links: its coordinator has them', () => {
  const { core } = workerCore()
  expect(() => core.addLink({ destinationFor: () => ({ local: undefined, takeSendPacket() {} }) })).toThrow(
    new TypeError('add link to relay core: its coordinator has the links'),
  )
})

test('RelayCore of a worker awaits no keys of the region: its coordinator does (P-315)', () => {
  const { core } = workerCore()
  const key = newKey()
  core.keyLeft(key)
  expect(core.isAwaited(key.bytes, 0)).toBe(false)
})

test('RelayCore divides a total rate only while there is one, and ends all waits with it (P-105)', () => {
  const { core } = new MemoryRelay({ totalRate: 1_000 })
  const { fairShare } = core
  const account = { end: undefined }
  const proceeded: string[] = []
  for (const frame of ['first', 'second']) fairShare?.take(account, WHOLE_FRAME_BYTES, () => void proceeded.push(frame))
  core.totalRate = 2_000
  expect([core.fairShare, fairShare?.bytesPerSecond, fairShare?.waiting]).toEqual([fairShare, 2_000, 1])
  core.totalRate = 0
  expect([core.fairShare, proceeded]).toEqual([undefined, ['second']])
  core.totalRate = 0
  core.totalRate = 3_000
  expect(core.fairShare).toMatchObject({ bytesPerSecond: 3_000, waiting: 0 })
})

test('RelayCore that closes logs the refusals it has not logged yet (P-038, P-109)', () => {
  const warnings: unknown[] = []
  const log = { debug() {}, info() {}, warn: (...line: unknown[]) => void warnings.push(line), error() {} }
  const { core, clock } = new MemoryRelay({ log })
  const remote = { address: '192.0.2.1', port: 4_001 }
  for (let n = 0; n < 3; n++) core.noteOtherMeshKey(newKey(), remote)
  expect(warnings.splice(0)).toHaveLength(1)
  core.close()
  expect(warnings).toEqual([
    ['mesh peer refused: relays of a mesh must share one key', expect.objectContaining({ logins: 2, remote })],
  ])
  expect(clock.pendingTimers).toBe(0)
})

test('RelayCore flushes links at the end of a turn', () => {
  const clock = new FakeClock({ turns: 'manual' })
  const { core } = new MemoryRelay({ clock })
  let flushed = 0
  core.flushFirstAfterTurn({ flush: () => void flushed++ })
  expect(flushed).toBe(0)
  clock.runTurn()
  expect(flushed).toBe(1)
})
