/** The licences of packages that are part of a bundle. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { mayShip } from './supply.ts'

/** The package that a module belongs to, as a folder. */
const PACKAGE_FOLDER = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly license?: string
  readonly dependencies?: Record<string, string>
}

export const readManifest = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** Those of the packages of `modules`, which are paths. @throws Error if a package has none, or one that may not be shipped. */
export function licencesOf(modules: readonly string[]): string {
  const folders = new Set(modules.flatMap(id => PACKAGE_FOLDER.exec(id)?.[0] ?? []))
  const packages = [...folders].sort().map(licenceOf)
  // Once for all packages that have the same, but for line breaks.
  const groups = Map.groupBy(packages, ({ terms }) => terms.replaceAll(/\s+/g, ' '))
  return Array.from(groups.values(), group => {
    const notices = group.map(({ title, copyrights }) => [title, ...copyrights.map(line => `  ${line.trim()}`)])
    return `${notices.flat().join('\n')}\n\n${group[0]?.terms}\n`
  }).join(`\n${'='.repeat(80)}\n\n`)
}

/** Lines that name the holders of rights. */
const COPYRIGHT = /^[ \t]*copyright\b.*(?:\(c\)|©|\d{4}).*$/gim

interface Licence {
  readonly title: string
  readonly copyrights: readonly string[]
  readonly terms: string
}

function licenceOf(folder: string): Licence {
  const { name, version, license } = readManifest(folder)
  const file = readdirSync(folder).find(each => /^licen[cs]e/i.test(each))
  if (file === undefined && license === undefined) throw new Error(`bundle ${name}: it names no licence`)
  if (license !== undefined && !mayShip(license))
    throw new Error(`bundle ${name}: its licence ${license} is not on the list`)
  const text = file === undefined ? `Licensed under ${license}.` : readFileSync(join(folder, file), 'utf8').trim()
  return {
    title: `${name} ${version}`,
    copyrights: text.match(COPYRIGHT) ?? [],
    terms: text.replaceAll(COPYRIGHT, '').trim(),
  }
}
