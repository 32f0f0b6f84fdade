/** What `derper` shall do, from its flags, its environment and the files they name. Starts nothing. */

import { readFileSync } from 'node:fs'
import type { AdmissionSettings } from '../admission/create-admission.ts'
import type { MeshKey } from '../keys/mesh-key.ts'
import { NodePrivateKey } from '../keys/node-key.ts'
import { DerpError } from '../lib/derp-error.ts'
import { type MeshTarget, parseMeshWith } from '../mesh/mesh-target.ts'
import { parseRateConfig, type RateLimit } from '../server/rate-limit.ts'
import { type DERPER_FLAGS, ROOT_KEY_FILE } from './derper-flags.ts'
import type { FlagValues } from './go-flags.ts'
import { loadKeyFile } from './key-file.ts'
import { type ListenAddress, parseListenAddress } from './listen-address.ts'
import type { LogLevel } from './log.ts'
import { loadMeshKey, MESH_KEY_VARIABLE } from './mesh-key-file.ts'

type Flags = FlagValues<typeof DERPER_FLAGS>

const DEV_ADDRESS: ListenAddress = { host: '127.0.0.1', port: 3340 }
const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error'] satisfies readonly LogLevel[]

/** Certificates from a directory. */
export interface TlsSettings {
  readonly hostname: string
  readonly directory: string
  /** Port for plain HTTP beside TLS; undefined for none. */
  readonly httpPort: number | undefined
}

export interface DerperSettings {
  readonly dev: boolean
  readonly address: ListenAddress
  /** Undefined to serve plain HTTP. */
  readonly tls: TlsSettings | undefined
  /** UDP port for STUN; undefined for none. */
  readonly stunPort: number | undefined
  readonly derp: boolean
  readonly home: string
  readonly logLevel: LogLevel
  readonly meshKey: MeshKey | undefined
  /** File to read again on SIGHUP. */
  readonly rateConfigFile: string | undefined
  readonly rateLimit: RateLimit | undefined
  readonly writeTimeoutMs: number
  readonly pingClientsMs: number
  readonly tellHealth: boolean
  readonly admission: AdmissionSettings
  /** Siblings to link to; undefined for none. */
  readonly siblings: readonly MeshTarget[] | undefined
  /** Names for `/bootstrap-dns`; empty for none. */
  readonly publishedNames: string
  readonly unpublishedNames: string
}

/** Reads everything but the private key. @throws DerpError naming flag, value and reason. */
export function readSettings(flags: Flags, given: ReadonlySet<string>, env: NodeJS.ProcessEnv): DerperSettings {
  const address = flags.dev && !given.has('a') ? DEV_ADDRESS : parseListenAddress('a', flags.a)
  const meshKey = loadMeshKey(flags.dev ? env[MESH_KEY_VARIABLE] : undefined, flags['mesh-psk-file'])
  return {
    dev: flags.dev,
    address,
    tls: tlsSettings(flags, address),
    stunPort: flags.stun ? port('stun-port', flags['stun-port']) : undefined,
    derp: flags.derp,
    home: flags.home,
    logLevel: logLevel(flags['log-level']),
    meshKey,
    rateConfigFile: flags['rate-config'] || undefined,
    rateLimit: flags['rate-config'] === '' ? undefined : readRateConfig(flags['rate-config']),
    writeTimeoutMs: flags['tcp-write-timeout'],
    pingClientsMs: flags['ping-clients'],
    tellHealth: flags['health-frames'],
    admission: admissionSettings(flags),
    siblings: siblings(flags['mesh-with'], meshKey),
    publishedNames: flags['bootstrap-dns-names'],
    unpublishedNames: flags['unpublished-bootstrap-dns-names'],
  }
}

/** The private key; a key file is made if it is missing. @throws DerpError as {@link loadKeyFile}. */
export async function readPrivateKey(flags: Flags): Promise<NodePrivateKey> {
  if (flags.c === '' && flags.dev) return NodePrivateKey.generate()
  const path = flags.c === '' && process.getuid?.() === 0 ? ROOT_KEY_FILE : flags.c
  if (path === '') throw invalid('find the private key: -c is not given; name a file, it is made if missing')
  return (await loadKeyFile(path)).key
}

/** Reads the file of `-rate-config`. @throws DerpError naming it. */
export function readRateConfig(path: string): RateLimit | undefined {
  try {
    return parseRateConfig(readFileSync(path, 'utf8'))
  } catch (error) {
    throw invalid(`set flag -rate-config to "${path}": ${(error as Error).message}`, error)
  }
}

function admissionSettings(flags: Flags): AdmissionSettings {
  return {
    allowKeysFile: flags['allow-keys-file'] || undefined,
    denyKeysFile: flags['deny-keys-file'] || undefined,
    tokensFile: flags['tokens-file'] || undefined,
    daemonSocket: flags['verify-clients'] ? flags.socket : undefined,
    url: flags['verify-client-url'] || undefined,
    urlFailOpen: flags['verify-client-url-fail-open'],
    memoryMs: flags['admission-memory'],
  }
}

function siblings(text: string, meshKey: MeshKey | undefined): readonly MeshTarget[] | undefined {
  if (text === '') return undefined
  if (meshKey === undefined) throw invalid(`set flag -mesh-with to "${text}": needs a mesh key, from -mesh-psk-file`)
  return parseMeshWith(text)
}

function tlsSettings(flags: Flags, address: ListenAddress): TlsSettings | undefined {
  const { certmode, certdir, hostname } = flags
  if (certmode !== '' && certmode !== 'manual') throw invalid(`set flag -certmode to "${certmode}": not "manual"`)
  if (certmode === '') {
    if (address.port !== 443) return undefined
    throw invalid('serve TLS on port 443: needs -certmode manual, or another port in -a for plain HTTP')
  }
  if (hostname === '') throw invalid('serve TLS: -hostname is not given; name what clients connect to')
  if (certdir === '') throw invalid('serve TLS: -certdir is not given; name the directory of certificates')
  const httpPort = flags['http-port'] === -1 ? undefined : port('http-port', flags['http-port'])
  return { hostname, directory: certdir, httpPort }
}

function logLevel(text: string): LogLevel {
  if (LOG_LEVELS.includes(text)) return text as LogLevel
  throw invalid(`set flag -log-level to "${text}": not one of ${LOG_LEVELS.join(', ')}`)
}

function port(flag: string, value: number): number {
  if (value >= 0 && value <= 65_535) return value
  throw invalid(`set flag -${flag} to "${value}": not a port`)
}

const invalid = (message: string, cause?: unknown) => new DerpError('ERR_DERP_CONFIG_INVALID', message, { cause })
