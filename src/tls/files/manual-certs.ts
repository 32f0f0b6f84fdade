/**
 * Certificates placed in a folder by the operator (`-certmode manual`).
 *
 * Clauses: P-141 valid for the host name, P-145 names of the files.
 */

import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { createSecureContext } from 'node:tls'
import { type Clock, systemClock } from '../../lib/clock.ts'
import { connectionFault, explainError, explainFault, faultOf } from '../../lib/connection-fault.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { TextFile } from '../../lib/files/node-text-file.ts'
import { type Log, silentLog } from '../../lib/log.ts'
import { certificateFaults } from '../certificate-faults.ts'
import { type MapNode, mapNode } from '../map-node.ts'
import type { CertificatePair } from '../x509.ts'
import { type CertificatePaths, createIpCertificate } from './ip-certificate.ts'

export interface ManualCertificateOptions {
  /** Folder with the files. */
  readonly directory: string
  /** DNS name or IP address of the relay. */
  readonly hostname: string
  readonly log?: Log
  readonly clock?: Clock
}

export interface ManualCertificate extends CertificatePair {
  readonly paths: CertificatePaths
  /** For an IP address: the relay's DERP map entry. */
  readonly derpMapNode: MapNode | undefined
  /** Why clients will refuse it; empty for nothing. */
  readonly faults: readonly string[]
}

/** Whether `hostname` is an IP address, for which server names are ignored (P-141). */
export function isIpHostname(hostname: string): boolean {
  return isIP(hostname) !== 0 && !hostname.includes('%')
}

/** Paths of a host's certificate and key: its name without unusual characters, plus an extension. */
export function manualCertificatePaths(directory: string, hostname: string): CertificatePaths {
  const name = hostname.replaceAll(/[^a-zA-Z0-9.-]/g, '')
  return { certificate: join(directory, `${name}.crt`), key: join(directory, `${name}.key`) }
}

/**
 * Reads and checks the certificate of a host; generates one if there is none and the host is an IP address.
 *
 * @throws DerpError with file, reason and fix.
 */
export async function loadManualCertificate(options: ManualCertificateOptions): Promise<ManualCertificate> {
  const { directory, hostname, clock = systemClock } = options
  const paths = manualCertificatePaths(directory, hostname)
  const pair = (await new ManualFiles(options).readIfPresent()) ?? (await createPair(paths, hostname, clock))
  return checkManualCertificate(pair, options)
}

/**
 * Checks the certificate of a host without generating one; undefined for an IP address that has none yet.
 *
 * @throws DerpError like {@link loadManualCertificate}.
 */
export async function checkManualFiles(options: ManualCertificateOptions): Promise<ManualCertificate | undefined> {
  const pair = await new ManualFiles(options).readIfPresent()
  return pair && checkManualCertificate(pair, options)
}

/** The contents of a host's two files. */
export class ManualFiles {
  readonly #hostname: string
  readonly #certificate: TextFile
  readonly #key: TextFile

  constructor({ directory, hostname, clock = systemClock }: ManualCertificateOptions) {
    const { certificate, key } = manualCertificatePaths(directory, hostname)
    this.#hostname = hostname
    this.#certificate = new TextFile(certificate, clock)
    this.#key = new TextFile(key, clock)
  }

  /** Rejects with a DerpError with file, reason and fix. */
  async read(): Promise<CertificatePair> {
    const pair = await this.readIfPresent()
    if (pair !== undefined) return pair
    throw failure('read', this.#certificate.path, 'no such file', 'restore it and its key')
  }

  /** Resolves to undefined if both files are missing and may be generated. Rejects as {@link read}. */
  async readIfPresent(): Promise<CertificatePair | undefined> {
    const [certificate, key] = [await textOf(this.#certificate), await textOf(this.#key)]
    if (certificate !== undefined && key !== undefined) return { certificate, key }
    const isIp = isIpHostname(this.#hostname)
    if (certificate === undefined && key === undefined && isIp) return undefined
    const [missing, other, content] =
      certificate === undefined
        ? [this.#certificate.path, this.#key.path, 'the certificate chain']
        : [this.#key.path, this.#certificate.path, 'the private key']
    const orElse = isIp ? `remove ${other} to have both generated` : 'set -certdir'
    throw failure('read', missing, 'no such file', `put ${content} for ${this.#hostname} there as PEM, or ${orElse}`)
  }
}

/** Checks the certificate and key of a host. @throws DerpError with file, reason and fix. */
export function checkManualCertificate(pair: CertificatePair, options: ManualCertificateOptions): ManualCertificate {
  const { directory, hostname, log = silentLog, clock = systemClock } = options
  const paths = manualCertificatePaths(directory, hostname)
  const certificate = parseCertificate(paths, pair.certificate)
  checkKey(paths, certificate, pair)
  checkHostname(paths, certificate, hostname)
  const isPinned = isIpHostname(hostname)
  const faults = certificateFaults({ certificate, isPinned }, clock.wallNow())
  for (const reason of faults) log.warn('clients will refuse the certificate', { file: paths.certificate, reason })
  return { ...pair, paths, derpMapNode: isPinned ? mapNode(hostname, certificate) : undefined, faults }
}

/** Undefined when there is no such file. */
async function textOf(file: TextFile): Promise<string | undefined> {
  try {
    return (await file.read()).text
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw failure('read', file.path, message, 'check its owner and mode, or set -certdir', error)
  }
}

async function createPair(paths: CertificatePaths, ip: string, clock: Clock): Promise<CertificatePair> {
  try {
    return await createIpCertificate(ip, paths, clock)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const room = code === 'ENOSPC' ? 'free space there, or ' : ''
    throw failure('create', paths.certificate, message, `${room}set -certdir to a writable folder`, error)
  }
}

function parseCertificate(paths: CertificatePaths, pem: string): X509Certificate {
  try {
    return new X509Certificate(pem)
  } catch (error) {
    const fix = 'it must be PEM, starting with the host certificate, followed by its chain'
    throw failure('parse', paths.certificate, 'no certificate found', fix, error)
  }
}

function checkKey(paths: CertificatePaths, certificate: X509Certificate, pair: CertificatePair): void {
  let key: KeyObject
  try {
    key = createPrivateKey(pair.key)
  } catch (error) {
    throw failure('parse', paths.key, 'no private key found', 'it must be PEM and not encrypted', error)
  }
  if (!certificate.checkPrivateKey(key)) {
    const reason = `it does not match ${paths.certificate}`
    throw failure('use', paths.key, reason, 'put the key there that the certificate was requested with')
  }
  try {
    createSecureContext({ cert: pair.certificate, key: pair.key })
  } catch (error) {
    if (connectionFault(error) !== undefined)
      throw failure('use', paths.certificate, explainError(error), undefined, error)
    throw failure('use', paths.certificate, (error as Error).message, 'check the certificates after the first', error)
  }
}

function checkHostname(paths: CertificatePaths, certificate: X509Certificate, hostname: string): void {
  const valid = isIpHostname(hostname)
    ? certificate.checkIP(hostname)
    : certificate.checkHost(hostname.replace(/\.$/, ''), { subject: 'never', partialWildcards: false })
  if (valid !== undefined) return
  const { subjectAltName: names } = certificate
  if (names === undefined) {
    throw failure('use', paths.certificate, explainFault(faultOf('no-name'), `-hostname is ${hostname}`))
  }
  const fix = 'set -hostname to one of its names, or get a certificate for this name'
  throw failure('use', paths.certificate, `it is valid for ${names}, not for ${hostname}`, fix)
}

/** @param fix left out where the reason has it. */
function failure(action: string, path: string, reason: string, fix?: string, cause?: unknown): DerpError {
  const message = `${action} certificate file ${path}: ${[reason, fix].filter(text => text !== undefined).join('; ')}`
  return new DerpError('ERR_DERP_CONFIG_INVALID', message, { cause })
}
