/** Two relays whose clients reach each other, over TLS as links require it: a mesh, or a region over NATS. */

import { startNatsServer } from '../test/support/nats-server.ts'
import { freePort } from '../test/support/relays.ts'
import { type BenchRelay, type Contender, HOSTNAME, type Identity, startAt } from './contender.ts'

/** How the two are joined. The original knows only the mesh. */
export type Joining = 'mesh' | 'region'

/** Starts two relays; the second is the `farRelay` of the first. */
export function startTwoRelays(joining: Joining, contender: Contender, identity: Identity): Promise<BenchRelay> {
  return joining === 'mesh' || contender.id === 'stock'
    ? startMesh(contender, identity)
    : startRegion(contender, identity)
}

async function startMesh(contender: Contender, identity: Identity): Promise<BenchRelay> {
  const ports = [await freePort(), await freePort()] as const
  const meshWith = ports.map(port => `${HOSTNAME}:${port}/127.0.0.1`).join(',')
  return startBoth(ports, contender, identity, ['-mesh-with', meshWith])
}

/** Its NATS server counts as part of it. */
async function startRegion(contender: Contender, identity: Identity): Promise<BenchRelay> {
  const nats = await startNatsServer()
  try {
    const ports = [await freePort(), await freePort()] as const
    const relays = await startBoth(ports, contender, identity, ['-region', 'bench', '-nats', nats.url])
    const stop = async () => {
      await relays.stop()
      await nats.stop()
    }
    return { ...relays, alsoPids: [...(relays.alsoPids ?? []), nats.program.child.pid as number], stop }
  } catch (error) {
    await nats.stop()
    throw error
  }
}

async function startBoth(
  [port, farPort]: readonly [number, number],
  contender: Contender,
  identity: Identity,
  joined: readonly string[],
): Promise<BenchRelay> {
  const setup = { args: ['-mesh-psk-file', identity.meshKeyFile, ...joined] }
  const farRelay = await startAt(farPort, contender, 'tls', identity, setup)
  try {
    const relay = await startAt(port, contender, 'tls', identity, setup)
    const stop = async () => void (await Promise.all([relay.stop(), farRelay.stop()]))
    return { ...relay, farRelay, alsoPids: [farRelay.pid], stop }
  } catch (error) {
    await farRelay.stop()
    throw error
  }
}
