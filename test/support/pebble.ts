/** An ACME server on loopback that resolves every name to 127.0.0.1. */

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acmeTools } from './go-tools.ts'
import { type Program, startProgram } from './process.ts'
import { freePort, untilListening } from './relays.ts'
import { TestCa } from './test-ca.ts'

export interface PebbleOptions {
  /** Validation ports instead of 80 and 443. */
  readonly httpPort: number
  readonly tlsPort: number
  /** Keys of external accounts by id; if set, others are rejected. */
  readonly accounts?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

/** Certificate profiles, with validity in seconds. */
const PROFILES = {
  default: { description: 'three months', validityPeriod: 90 * 86_400 },
  shortlived: { description: 'six days', validityPeriod: 6 * 86_400 },
}

export class Pebble {
  readonly directoryUrl: string
  /** PEM of the CA of the directory's own TLS. */
  readonly directoryCa: string
  readonly program: Program
  readonly #dns: Program
  readonly #folder: string
  readonly #managementPort: number

  private constructor(
    parts: { ca: string; pebble: Program; dns: Program; folder: string },
    port: number,
    management: number,
  ) {
    this.directoryUrl = `https://127.0.0.1:${port}/dir`
    this.directoryCa = parts.ca
    this.program = parts.pebble
    this.#dns = parts.dns
    this.#folder = parts.folder
    this.#managementPort = management
  }

  static async start(options: PebbleOptions): Promise<Pebble> {
    const tools = await acmeTools()
    const folder = mkdtempSync(join(tmpdir(), 'pebble-'))
    const [port, management, dnsPort, controlPort] = await freePorts(4)
    const ca = await TestCa.create()
    const pair = await ca.issue({ ips: ['127.0.0.1'] })
    writeFileSync(join(folder, 'cert.pem'), pair.certificate)
    writeFileSync(join(folder, 'key.pem'), pair.key)
    writeFileSync(
      join(folder, 'config.json'),
      JSON.stringify({
        pebble: {
          listenAddress: `127.0.0.1:${port}`,
          managementListenAddress: `127.0.0.1:${management}`,
          certificate: join(folder, 'cert.pem'),
          privateKey: join(folder, 'key.pem'),
          httpPort: options.httpPort,
          tlsPort: options.tlsPort,
          externalAccountBindingRequired: options.accounts !== undefined,
          externalAccountMACKeys: options.accounts ?? {},
          domainBlocklist: ['blocked.test'],
          retryAfter: { authz: 1, order: 1 },
          keyAlgorithm: 'ecdsa',
          profiles: PROFILES,
        },
      }),
    )
    const dnsArgs = ['-dnsserver', `127.0.0.1:${dnsPort}`, '-management', `127.0.0.1:${controlPort}`]
    const others = ['-http01', '', '-https01', '', '-tlsalpn01', '', '-doh', '', '-defaultIPv6', '']
    const dns = await startProgram(tools.challtestsrv, [...dnsArgs, ...others])
    const pebbleArgs = ['-config', join(folder, 'config.json'), '-dnsserver', `127.0.0.1:${dnsPort}`]
    const env = { PEBBLE_VA_NOSLEEP: '1', PEBBLE_AUTHZREUSE: '0', ...options.env }
    const pebble = await startProgram(tools.pebble, pebbleArgs, { env })
    await Promise.all([port, management, controlPort].map(untilListening))
    return new Pebble({ ca: ca.certificate, pebble, dns, folder }, port, management)
  }

  /** PEM of the root CA of issued certificates. */
  async rootCertificate(): Promise<string> {
    const options = { host: '127.0.0.1', port: this.#managementPort, path: '/roots/0', ca: this.directoryCa }
    const [response] = (await once(request(options).end(), 'response')) as [IncomingMessage]
    return (await response.toArray()).join('')
  }

  async stop(): Promise<void> {
    await Promise.all([this.program.stop(), this.#dns.stop()])
    rmSync(this.#folder, { recursive: true })
  }
}

async function freePorts(count: 4): Promise<[number, number, number, number]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort())
  return [...ports] as [number, number, number, number]
}
