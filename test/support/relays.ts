/** Relays in their own processes: ours from source, and the reference. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as tlsConnect } from 'node:tls'
import { commandPath } from './commands.ts'
import { goTools } from './go-tools.ts'
import { PATIENCE_MS } from './patience.ts'
import { type Program, startProgram } from './process.ts'
import { RUNTIME_PATH } from './runtime.ts'
import { served } from './served.ts'
import { TestCa } from './test-ca.ts'

const DERPER = commandPath('derper')

/** A running relay. */
export interface RunningRelay {
  /** URL of its DERP endpoint. */
  readonly url: string
  readonly port: number
  readonly program: Program
  stop(): Promise<void>
}

/** Starts our relay in development mode on a free loopback port. */
export async function startOurRelay(
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<RunningRelay> {
  const program = await startProgram(RUNTIME_PATH, [DERPER, '-dev', '-a', '127.0.0.1:0', '-stun-port', '0', ...args], {
    env,
  })
  return running(program, (await served(program)).port)
}

/** Starts stock `derper` over plain HTTP on a free loopback port. */
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

/** A relay over TLS, with its STUN server. */
export interface RunningTlsRelay extends RunningRelay {
  readonly stunPort: number
  /** PEM of the CA of its certificate. */
  readonly ca: string
  /** Replaces its certificate with another of the same CA. */
  replaceCertificate(commonName: string): Promise<void>
}

/** Host name of the TLS relays. */
const TLS_HOSTNAME = 'localhost'

/** No drain time by default. */
const NO_DRAIN = ['-drain-time', '0s']

/** Starts our relay over TLS on free loopback ports. */
export function startOurTlsRelay(
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<RunningTlsRelay> {
  return overTls(async (directory, port, stunPort) => {
    const flags = [...tlsFlags(directory, port, stunPort), ...NO_DRAIN, ...args]
    const program = await startProgram(RUNTIME_PATH, [DERPER, ...flags], { env })
    await served(program)
    return program
  })
}

/** Starts stock `derper` over TLS on free loopback ports. */
export async function startReferenceTlsRelay(args: readonly string[] = []): Promise<RunningTlsRelay> {
  const { derper } = await goTools()
  return overTls(async (directory, port, stunPort) => {
    const program = await startProgram(derper, [...tlsFlags(directory, port, stunPort), ...args])
    await untilListening(port)
    return program
  })
}

function tlsFlags(directory: string, port: number, stunPort: number): string[] {
  const listen = ['-a', `127.0.0.1:${port}`, '-http-port', '-1', '-stun-port', String(stunPort)]
  const identity = ['-c', join(directory, 'derper.key'), '-hostname', TLS_HOSTNAME]
  return [...listen, ...identity, '-certmode', 'manual', '-certdir', directory]
}

async function overTls(
  start: (directory: string, port: number, stunPort: number) => Promise<Program>,
): Promise<RunningTlsRelay> {
  const directory = mkdtempSync(join(tmpdir(), 'derper-tls-'))
  // A name of its own: OpenSSL finds issuers by name.
  const ca = await TestCa.create(basename(directory))
  const replaceCertificate = async (commonName: string) => {
    const { certificate, key } = await ca.issue({ dns: [TLS_HOSTNAME], commonName })
    writeFileSync(join(directory, `${TLS_HOSTNAME}.crt`), certificate)
    writeFileSync(join(directory, `${TLS_HOSTNAME}.key`), key)
  }
  await replaceCertificate('test server')
  const [port, stunPort] = [await freePort(), await freePort()]
  const program = await start(directory, port, stunPort)
  return {
    ...running(program, port),
    url: `https://${TLS_HOSTNAME}:${port}/derp`,
    stunPort,
    ca: ca.certificate,
    replaceCertificate,
    stop: async () => {
      await program.stop()
      rmSync(directory, { recursive: true })
    },
  }
}

function running(program: Program, port: number): RunningRelay {
  return { url: `http://127.0.0.1:${port}/derp`, port, program, stop: () => program.stop() }
}

/** Below the ephemeral port range. */
const [FIRST_PORT, LAST_PORT] = [10_000, 32_000]
/** Each process starts at a different port. */
let nextPort = FIRST_PORT + ((process.pid * 97) % (LAST_PORT - FIRST_PORT))

/** A free loopback port outside the ephemeral range. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = nextPort
    nextPort = port === LAST_PORT ? FIRST_PORT : port + 1
    const server = createServer()
    const isFree = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!isFree) continue
    await new Promise(resolve => server.close(resolve))
    return port
  }
}

/** Waits until a loopback port accepts connections. */
export function untilListening(port: number): Promise<void> {
  return untilPort(port, '', 'connect')
}

/**
 * Waits until what listens on a loopback port answers HTTP.
 *
 * For our daemon, which binds its ports for a moment at startup to check them: connections made then are reset.
 */
export function untilAnswering(port: number, pauseMs?: number): Promise<void> {
  // An HTTPS port answers as well: 400.
  return untilPort(port, 'GET / HTTP/1.0\r\n\r\n', 'data', pauseMs)
}

/** The same for one that completes TLS handshakes, whatever its certificate: older relays answer plain HTTP with nothing. */
export function untilHandshaking(port: number): Promise<void> {
  const opened = () => tlsConnect({ port, host: '127.0.0.1', servername: 'localhost', rejectUnauthorized: false })
  return untilEvent(port, 'secureConnect', opened)
}

function untilPort(port: number, request: string, event: 'connect' | 'data', pauseMs?: number): Promise<void> {
  const opened = () => {
    const socket = connect(port, '127.0.0.1')
    socket.write(request)
    return socket
  }
  return untilEvent(port, event, opened, pauseMs)
}

async function untilEvent(port: number, event: string, opened: () => Socket, pauseMs = 50): Promise<void> {
  const giveUpAtMs = performance.now() + PATIENCE_MS
  while (performance.now() < giveUpAtMs) {
    const socket = opened().on('error', () => {})
    const came = await new Promise<boolean>(resolve => {
      socket.once(event, () => resolve(true)).once('close', () => resolve(false))
    })
    socket.destroy()
    if (came) return
    await delay(pauseMs)
  }
  throw new Error(`wait for port ${port}: no ${event} after ${PATIENCE_MS} ms`)
}
