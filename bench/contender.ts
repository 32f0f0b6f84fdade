/** Relays that are measured against each other, each in its own process with the same settings. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Program, startProgram } from '../test/support/process.ts'
import { freePort, untilAnswering, untilHandshaking } from '../test/support/relays.ts'
import { TestCa } from '../test/support/test-ca.ts'

/** Relays of a run, in report order: our working tree on either runtime, the original, with two workers, another git ref. */
export const CONTENDER_IDS = [
  'ours-bun',
  'ours',
  'newest',
  'stock',
  'ours-bun-2-workers',
  'ours-2-workers',
  'against-bun',
  'against',
] as const

/** `newest` and `stock` are releases of the original; without a runtime, ours runs on Node. */
export type ContenderId = (typeof CONTENDER_IDS)[number]

export function hasTwoWorkers(id: ContenderId): boolean {
  return id.endsWith('-2-workers')
}

/** How packets are transported. */
export type Carriage = 'plain' | 'tls'

/** How to start one relay. */
export interface Contender {
  readonly id: ContenderId
  /** Display name with version. */
  readonly label: string
  readonly command: string
  readonly args: readonly string[]
}

/** What one measurement wants of its relay. */
export interface RelaySetup {
  /** They come last: of a flag given twice, the second counts. */
  readonly args?: readonly string[]
  /** What a shell does before it becomes the relay. */
  readonly shell?: string
}

/** A running relay. */
export interface BenchRelay {
  readonly url: string
  readonly carriage: Carriage
  readonly pid: number
  /** CA file for clients. */
  readonly caFile: string
  /** The relay of the receivers, if there are two. */
  readonly farRelay?: BenchRelay
  /** Processes whose CPU time is part of the relay's. */
  readonly alsoPids?: readonly number[]
  /** What it has logged. */
  stderr(): string
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Of all relays. */
export const HOSTNAME = 'localhost'

/** Certificate and CA, generated for each run and shared by all relays. */
export class Identity implements Disposable {
  /** Also holds the key files of the relays. */
  readonly directory: string
  readonly caFile: string
  /** Mesh key file. */
  readonly meshKeyFile: string

  private constructor(directory: string, caFile: string) {
    this.directory = directory
    this.caFile = caFile
    this.meshKeyFile = join(directory, 'mesh.key')
  }

  static async create(): Promise<Identity> {
    const directory = mkdtempSync(join(tmpdir(), 'derphttp-bench-'))
    const ca = await TestCa.create()
    const { certificate, key } = await ca.issue({ dns: [HOSTNAME] })
    writeFileSync(join(directory, `${HOSTNAME}.crt`), certificate)
    writeFileSync(join(directory, `${HOSTNAME}.key`), key)
    const caFile = join(directory, 'ca.pem')
    writeFileSync(caFile, ca.certificate)
    writeFileSync(join(directory, 'mesh.key'), `${'5eed'.repeat(16)}\n`)
    return new Identity(directory, caFile)
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true })
  }
}

/** Starts a relay on a free loopback port. */
export async function startRelay(
  contender: Contender,
  carriage: Carriage,
  identity: Identity,
  setup: RelaySetup = {},
): Promise<BenchRelay> {
  const port = await freePort()
  return startAt(port, contender, carriage, identity, setup)
}

/** The same on a given port. */
export async function startAt(
  port: number,
  contender: Contender,
  carriage: Carriage,
  identity: Identity,
  setup: RelaySetup = {},
): Promise<BenchRelay> {
  const keyFile = join(identity.directory, `${contender.id}.${port}.key.json`)
  const listen = ['-a', `127.0.0.1:${port}`, '-c', keyFile, '-http-port', '-1', '-stun=false']
  const tls = ['-hostname', HOSTNAME, '-certmode', 'manual', '-certdir', identity.directory]
  const args = [...contender.args, ...listen, ...(carriage === 'tls' ? tls : []), ...(setup.args ?? [])]
  // Mesh links of either relay trust system CAs and these.
  const env = { NODE_EXTRA_CA_CERTS: identity.caFile, SSL_CERT_FILE: identity.caFile }
  const [command, all] =
    setup.shell === undefined ? [contender.command, args] : shellCommand(setup.shell, contender, args)
  const program = await startProgram(command, all, { env })
  try {
    const answering = carriage === 'tls' ? untilHandshaking(port) : untilAnswering(port)
    await Promise.race([answering, endOf(program, contender)])
  } catch (error) {
    await program.stop()
    throw error
  }
  return {
    url: `${carriage === 'tls' ? 'https' : 'http'}://${HOSTNAME}:${port}/derp`,
    carriage,
    pid: program.child.pid as number,
    caFile: identity.caFile,
    stderr: () => program.stderr,
    stop: signal => program.stop(signal),
  }
}

/** The relay keeps the shell's process ID. */
function shellCommand(first: string, { command }: Contender, args: readonly string[]): [string, string[]] {
  return ['/bin/sh', ['-c', `${first}; exec "$@"`, 'sh', command, ...args]]
}

/** Rejects if the relay exits before it listens. */
function endOf(program: Program, contender: Contender): Promise<never> {
  return new Promise((_, reject) => {
    program.child.once('exit', code => {
      reject(new Error(`start ${contender.label}: it exited with ${code}: ${program.stderr}`))
    })
  })
}
