/** Reads the text of a DERP map from a file, a URL, or standard input. */

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { DerpError } from '../../lib/derp-error.ts'
import { type CommandIo, readAll } from '../command-io.ts'

/** Most bytes of a map; Tailscale's own has some 60 KB. */
const MAX_BYTES = 8 << 20
const TIMEOUT_MS = 15_000

/** Describes the source argument in help texts. */
export const MAP_SOURCE_HELP = 'file, URL, or - for standard input'

/** @throws DerpError with source, reason and what to do. */
export async function readMapSource(source: string, io: Pick<CommandIo, 'stdin'>): Promise<string> {
  if (source === '-') return readAll(io.stdin)
  if (/^https?:\/\//i.test(source)) return fetchText(source)
  try {
    return await readFile(/^file:\/\//i.test(source) ? fileURLToPath(source) : source, 'utf8')
  } catch (error) {
    throw failed(source, `${(error as Error).message}; pass a readable file, a URL, or -`, error)
  }
}

async function fetchText(url: string): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (!response.ok) throw new Error(`status ${response.status} ${response.statusText}`)
    return await limitedText(response)
  } catch (error) {
    const { message, cause } = error as Error
    throw failed(url, cause instanceof Error ? `${message}: ${cause.message}` : message, error)
  }
}

async function limitedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MAX_BYTES) throw new Error(`longer than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function failed(source: string, reason: string, cause: unknown): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `read DERP map ${source}: ${reason}`, { cause })
}
