/** The licences of packages that are part of a bundle. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The package that a module belongs to, as a folder. */
const PACKAGE_FOLDER = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly dependencies?: Record<string, string>
}

export const readManifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** Those of the packages of `modules`, which are paths. @throws Error if a package has none. */
export function licencesOf(modules: readonly string[]): string {
  const folders = new Set(modules.flatMap(id => PACKAGE_FOLDER.exec(id)?.[0] ?? []))
  return [...folders].sort().map(licenceOf).join('\n')
}

function licenceOf(folder: string): string {
  const { name, version, license } = readManifest(folder)
  const file = readdirSync(folder).find(each => /^licen[cs]e/i.test(each))
  if (file === undefined && license === undefined) throw new Error(`bundle ${name}: it names no licence`)
  const text = file === undefined ? `Licensed under ${license}.` : readFileSync(join(folder, file), 'utf8').trim()
  return `${name} ${version}\n${'='.repeat(name.length + version.length + 1)}\n\n${text}\n`
}
