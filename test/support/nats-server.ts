/** Real NATS servers: one, or a cluster of three. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { natsServer } from './go-tools.ts'
import { type Program, startProgram } from './process.ts'
import { freePort } from './relays.ts'

export interface NatsServer {
  readonly url: string
  readonly port: number
  readonly program: Program
  /** Starts it again on the same port, after it has ended. */
  restart(): Promise<void>
  /** Ends it at once. */
  kill(): Promise<void>
  stop(): Promise<void>
}

/** Lines of a server's configuration that come before those of the test. */
const PLAIN = 'no_fast_producer_stall: true'

/** @param config further lines of its configuration. */
export async function startNatsServer(config: string = PLAIN): Promise<NatsServer> {
  return startServer(await freePort(), config)
}

/** Three servers that know each other. @param config further lines of their configurations. */
export async function startNatsCluster(config = ''): Promise<readonly [NatsServer, NatsServer, NatsServer]> {
  const ports = [await freePort(), await freePort(), await freePort()] as const
  const routePorts = [await freePort(), await freePort(), await freePort()]
  const routes = routePorts.map(port => `"nats-route://127.0.0.1:${port}"`).join(', ')
  const start = (n: 0 | 1 | 2) => {
    const cluster = `cluster { name: test, listen: "127.0.0.1:${routePorts[n]}", routes: [${routes}] }`
    return startServer(ports[n], `${PLAIN}\nserver_name: n${n}\n${config}\n${cluster}`)
  }
  const servers = await Promise.all([start(0), start(1), start(2)])
  // Each has a route to each of the others once all have logged them.
  await Promise.all(
    servers.map(({ program }) => program.stderrMatch(/Route connection created[\s\S]*Route connection created/)),
  )
  return servers as unknown as readonly [NatsServer, NatsServer, NatsServer]
}

async function startServer(port: number, config: string): Promise<NatsServer> {
  const path = await natsServer()
  const directory = mkdtempSync(join(tmpdir(), 'nats-'))
  const file = join(directory, 'nats.conf')
  writeFileSync(file, `listen: "127.0.0.1:${port}"\n${config}\n`)
  const start = async () => {
    const program = await startProgram(path, ['-c', file])
    await program.stderrMatch(/Server is ready/)
    return program
  }
  let program = await start()
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    get program() {
      return program
    },
    restart: async () => {
      program = await start()
    },
    kill: () => program.stop('SIGKILL'),
    stop: async () => {
      await program.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
