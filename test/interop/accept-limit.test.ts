import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { Target } from '../conformance/target.ts'
import { hasGo } from '../support/go-tools.ts'
import { type RunningTlsRelay, startOurTlsRelay, startReferenceTlsRelay } from '../support/relays.ts'

/** Enough for a relay's start, and never refilled. */
const LIMIT = ['-accept-connection-limit', '0.000001', '-accept-connection-burst', '50']
const CONNECTIONS = 60

/** Opens connections in sequence, and waits until each is closed by either side. */
async function flood({ port }: RunningTlsRelay): Promise<void> {
  for (let n = 0; n < CONNECTIONS; n++) {
    await new Promise<void>(resolve => {
      const socket = connect(port, '127.0.0.1', () => socket.end())
      socket.on('error', () => {}).on('close', () => resolve())
      socket.resume()
    })
  }
}

describe.skipIf(!hasGo)('a relay whose accept limit is exceeded', () => {
  test('the original exits (P-108, D-50)', async () => {
    const relay = await startReferenceTlsRelay(LIMIT)
    await flood(relay)
    expect(await relay.program.exit()).toBe(1)
    expect(relay.program.stderr).toContain('cannot accept connection; rate limited')
    await relay.stop()
  })

  test('ours keeps serving (P-108, D-50)', async () => {
    const relay = await startOurTlsRelay(LIMIT)
    const target = new Target({ url: relay.url, ca: relay.ca, carriage: 'raw', like: 'ours' })
    const [a, b] = [await target.login(), await target.login()]
    await flood(relay)
    a.packet(b.publicKey, 'still there')
    expect(await b.messageOf('receivedPacket')).toMatchObject({ source: a.publicKey })
    await expect.poll(() => relay.program.stderr).toContain('connections refused')
    target.closeAll()
    await relay.stop()
  })
})
