/** Client for the API of the local `tailscaled`, over its socket. */

import { request } from 'node:http'
import type { Clock } from '../lib/clock.ts'

/** The daemon requires this host name, which web pages cannot send. */
const HOST = 'local-tailscaled.sock'
/** The original's `Tailscale-Cap`: the protocol version that the caller understands. */
const CAPABILITY_VERSION = '116'
const TIMEOUT_MS = 5_000
/** The peer list is the largest response: some 2 KiB for each of tens of thousands. */
const MAX_ANSWER_BYTES: number = 128 << 20

/** Default socket of `tailscaled`. */
export function defaultDaemonSocket(platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return String.raw`\\.\pipe\ProtectedPrefix\Administrators\Tailscale\tailscaled`
  return platform === 'darwin' ? '/var/run/tailscaled.socket' : '/var/run/tailscale/tailscaled.sock'
}

export interface LocalAnswer {
  readonly status: number
  readonly text: string
}

/**
 * Sends a GET for `path` on a new connection, so that a restarted daemon is found.
 *
 * Rejects without a complete response within the timeout.
 */
export function getLocal(socketPath: string, path: string, clock: Clock): Promise<LocalAnswer> {
  return new Promise((resolve, reject) => {
    const headers = { Host: HOST, 'Tailscale-Cap': CAPABILITY_VERSION }
    const get = request({ socketPath, path, headers, agent: false })
    const timer = clock.after(TIMEOUT_MS, () => get.destroy(new Error(`no response after ${TIMEOUT_MS} ms`)))
    const chunks: Buffer[] = []
    let bytes = 0
    get.on('response', response => {
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk)
        else get.destroy(new Error(`response longer than ${MAX_ANSWER_BYTES} bytes`))
      })
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      )
      response.on('error', reject)
    })
    get.on('error', reject)
    get.on('close', () => {
      timer.cancel()
      reject(new Error('connection closed before the response'))
    })
    get.end()
  })
}
