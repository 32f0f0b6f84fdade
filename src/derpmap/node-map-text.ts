/** Reads hand-written DERP maps: JSON with comments, YAML, with or without a byte order mark. Node only. */

import { readFile, stat } from 'node:fs/promises'
import { DerpMapError } from './derp-map-error.ts'
import { type ParseDerpMapOptions, parseDerpMap } from './parse.ts'
import type { DERPMap } from './types.ts'

/** Size limit of a map file; the largest public map has some 50 KB. */
const MAX_FILE_BYTES = 4 << 20

/**
 * Parses a DERP map from JSON, JSON with comments and trailing commas (HuJSON, as in policy files), or YAML (as in
 * Headscale's `derp.paths`). A byte order mark is skipped.
 *
 * @throws DerpMapError as {@link parseDerpMap} does.
 * @example
 * ```ts
 * const text = 'regions: { 900: { regioncode: own, nodes: [{ name: 900a, hostname: relay.example }] } }'
 * const map = await parseDerpMapText(text, { onWarning: ({ path, message }) => console.warn(path, message) })
 * ```
 */
export async function parseDerpMapText(text: string, options?: ParseDerpMapOptions): Promise<DERPMap> {
  const plain = text.startsWith('\uFEFF') ? text.slice(1) : text
  return parseDerpMap(/^\s*[{[/]/.test(plain) ? await parseHuJson(plain) : await parseYaml(plain), options)
}

/**
 * Reads a file of at most 4 MiB and parses it with {@link parseDerpMapText}.
 *
 * @throws DerpMapError, or a file system error.
 * @example
 * ```ts
 * const map = await readDerpMapFile('/etc/headscale/derp.yaml', { onWarning: ({ message }) => console.warn(message) })
 * ```
 */
export async function readDerpMapFile(path: string, options?: ParseDerpMapOptions): Promise<DERPMap> {
  const { size } = await stat(path)
  if (size > MAX_FILE_BYTES) throw new DerpMapError('', path, `a file of ${size} bytes, more than ${MAX_FILE_BYTES}`)
  return parseDerpMapText(await readFile(path, 'utf8'), options)
}

async function parseHuJson(text: string): Promise<unknown> {
  const { parse, printParseErrorCode } = await import('jsonc-parser')
  const errors: { error: number; offset: number; length: number }[] = []
  const value: unknown = parse(text, errors, { allowTrailingComma: true })
  const [first] = errors
  if (first === undefined) return value
  const line = text.slice(0, first.offset).split('\n').length
  throw new DerpMapError('', text, `not JSON: ${printParseErrorCode(first.error)} in line ${line}`)
}

async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml')
  try {
    const value: unknown = parse(text, { logLevel: 'error' })
    if (typeof value !== 'string') return value
  } catch (error) {
    throw new DerpMapError('', text, `neither JSON nor YAML: ${(error as Error).message.split('\n')[0]}`, error)
  }
  throw new DerpMapError('', text, 'not an object')
}
