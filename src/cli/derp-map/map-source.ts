/** Reads the text of a DERP map from a file, a URL, or standard input. */

import { readFile } from 'node:fs/promises'
import { STATUS_CODES } from 'node:http'
import { fileURLToPath } from 'node:url'
import { HttpClient } from '../../admission/http-client.ts'
import { explainError } from '../../lib/connection-fault.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { type CommandIo, readAll } from '../command-io.ts'
import { trustSystem } from '../trust.ts'

/** Size limit of a map; Tailscale's has some 60 KB. */
const MAX_BYTES = 8 << 20
const TIMEOUT_MS = 15_000

/** Describes the source argument in help texts. */
export const MAP_SOURCE_HELP = 'file, URL, or - for standard input'

export type MapSourceIo = Pick<CommandIo, 'stdin' | 'env' | 'err'>

/** @throws DerpError with source, reason and remedy. */
export async function readMapSource(source: string, { stdin, env, err }: MapSourceIo): Promise<string> {
  if (source === '-') return readAll(stdin)
  if (/^https?:\/\//i.test(source)) return fetchText(source, { env, err })
  try {
    return await readFile(/^file:\/\//i.test(source) ? fileURLToPath(source) : source, 'utf8')
  } catch (error) {
    throw failed(source, `${(error as Error).message}; pass a readable file, a URL, or -`, error)
  }
}

async function fetchText(url: string, { env, err }: Pick<MapSourceIo, 'env' | 'err'>): Promise<string> {
  await trustSystem(env, problem => err(`derp: ${problem}\n`))
  const http = new HttpClient(env, 1)
  try {
    const response = await http.send({ url: new URL(url), signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (response.status !== 200)
      throw new Error(`status ${response.status} ${STATUS_CODES[response.status] ?? ''}`.trimEnd())
    return new TextDecoder().decode(await response.read(MAX_BYTES))
  } catch (error) {
    throw failed(url, explainError(error), error)
  } finally {
    http.close()
  }
}

function failed(source: string, reason: string, cause: unknown): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `read DERP map ${source}: ${reason}`, { cause })
}
