/** Inputs as they are kept in the repository: one file per target, one input per line, in base64. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FuzzTarget } from './target.ts'

const ROOT = join(import.meta.dirname, '..')
/** Most bytes of one file. */
const MAX_FILE_BYTES = 64 << 10

/** Names of all targets. */
export function targetNames(): readonly string[] {
  return readdirSync(join(ROOT, 'targets'))
    .map(file => file.replace(/\.ts$/, ''))
    .toSorted()
}

/** @throws Error for an unknown name. */
export async function loadTarget(name: string): Promise<FuzzTarget> {
  if (!targetNames().includes(name)) throw new Error(`load fuzz target "${name}": there is none; see --list`)
  const { target } = (await import(join(ROOT, 'targets', `${name}.ts`))) as { target: FuzzTarget }
  return target
}

/** Inputs that reach much. */
export function readCorpus(name: string): readonly Uint8Array[] {
  return readInputs(join(ROOT, 'corpora', `${name}.txt`))
}

/** Inputs for which something was wrong once. Lines that begin with # say what. */
export function readFound(name: string): readonly Uint8Array[] {
  return readInputs(join(ROOT, 'found', `${name}.txt`))
}

/** Writes the shortest inputs, as many as a small file holds. */
export function writeCorpus(name: string, inputs: readonly Uint8Array[]): void {
  const lines: string[] = []
  let bytes = 0
  for (const input of inputs.toSorted((a, b) => a.length - b.length)) {
    const line = `${encodeInput(input)}\n`
    bytes += line.length
    if (bytes > MAX_FILE_BYTES) break
    lines.push(line)
  }
  writeFileSync(join(ROOT, 'corpora', `${name}.txt`), lines.join(''))
}

export function encodeInput(input: Uint8Array): string {
  return Buffer.from(input).toString('base64')
}

function readInputs(path: string): readonly Uint8Array[] {
  if (!existsSync(path)) return []
  const lines = readFileSync(path, 'utf8').split('\n')
  return lines
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => new Uint8Array(Buffer.from(line, 'base64')))
}
