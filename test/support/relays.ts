/** Relays in processes of their own: ours from source, and the reference. */

import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { goTools } from './go-tools.ts'
import { type Program, startProgram } from './process.ts'

const DERPER = join(import.meta.dirname, '../../src/bin/derper.ts')

/** A relay that is listening. */
export interface RunningRelay {
  /** URL of its DERP endpoint. */
  readonly url: string
  readonly port: number
  readonly program: Program
  stop(): Promise<void>
}

/** Starts our relay in development mode on a free port of loopback. */
export async function startOurRelay(
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<RunningRelay> {
  const program = await startProgram(
    process.execPath,
    [DERPER, '-dev', '-a', '127.0.0.1:0', '-stun-port', '0', ...args],
    { env },
  )
  const port = await program.lineWhere(line => /^derper: serving on .*:(\d+),/.exec(line)?.[1])
  return running(program, Number(port))
}

/** Starts stock `derper` over plain HTTP on a free port of loopback. */
export async function startReferenceRelay(args: readonly string[] = []): Promise<RunningRelay> {
  const { derper } = await goTools()
  const directory = mkdtempSync(join(tmpdir(), 'derper-'))
  const port = await freePort()
  const listen = ['-a', `127.0.0.1:${port}`, '-c', join(directory, 'derper.key'), '-http-port', '-1', '-stun=false']
  const program = await startProgram(derper, [...listen, ...args])
  await untilListening(port)
  const relay = running(program, port)
  return {
    ...relay,
    stop: async () => {
      await relay.stop()
      rmSync(directory, { recursive: true })
    },
  }
}

function running(program: Program, port: number): RunningRelay {
  return { url: `http://127.0.0.1:${port}/derp`, port, program, stop: () => program.stop() }
}

/** A TCP port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

/** Waits until something listens on the port of loopback; for at most 15 s. */
export async function untilListening(port: number): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt++) {
    const open = await new Promise<boolean>(resolve => {
      const socket = connect(port, '127.0.0.1')
      socket.once('connect', () => {
        socket.destroy()
        resolve(true)
      })
      socket.once('error', () => resolve(false))
    })
    if (open) return
    await delay(50)
  }
  throw new Error(`wait for port ${port}: nothing listens after 15 s`)
}
