import { expect, test } from 'vitest'
import { MemoryRelay } from '../../../test/support/memory-relay.ts'
import { FrameType } from '../../protocol/frame-type.ts'
import { assertMesh } from './handler.ts'

test('assertMesh refuses a frame of an ordinary client by its name (P-074)', async () => {
  const relay = new MemoryRelay()
  await relay.login()
  const frame = { type: FrameType.WatchConns, length: 0, buffer: new Uint8Array(5), start: 0 }
  for (const session of relay.core.sessions) {
    expect(() => assertMesh(session, frame)).toThrow(
      expect.objectContaining({
        code: 'ERR_DERP_PERMISSION_MISSING',
        message: 'handle frame WatchConns: needs the mesh key',
        clause: 'P-074',
      }),
    )
  }
  expect.assertions(1)
})
