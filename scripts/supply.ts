/** Rules for what the lockfile may bring: contents that cannot change, from the registry, under licences that are known. Pure. */

/** An entry of package-lock.json. */
export interface LockedPackage {
  readonly version?: string
  readonly license?: string
  readonly integrity?: string
  readonly resolved?: string
  readonly link?: boolean
  readonly dev?: boolean
  readonly optional?: boolean
  readonly devOptional?: boolean
  /** It runs a program when it is installed. */
  readonly hasInstallScript?: boolean
}

/** Licences of installed or bundled packages: they require a notice only. */
const SHIPPED = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT', 'Unlicense']
/** Of tools: what they make is under no licence of theirs. */
const TOOLS = [...SHIPPED, 'CC-BY-4.0', 'MPL-2.0', 'Python-2.0']
const REGISTRY = 'https://registry.npmjs.org/'
/** Tools that may run a program when they are installed. */
const INSTALLERS = ['@swc/core']

/** Whether what we ship may be under a licence, an SPDX expression. */
export const mayShip = (license: string): boolean => isMet(license, SHIPPED)

function isMet(license: string, list: readonly string[]): boolean {
  const alternatives = license.replaceAll(/[()]/g, '').split(' OR ')
  return alternatives.some(each => each.split(' AND ').every(name => list.includes(name.trim())))
}

/** What is wrong with the packages of a lockfile, by path. */
export function supplyProblems(packages: Readonly<Record<string, LockedPackage>>): string[] {
  return Object.entries(packages).flatMap(([path, locked]) => {
    // Our own workspaces, and links to them.
    if (!path.includes('node_modules/') || locked.link === true) return []
    const { license = 'none', integrity = '', resolved } = locked
    const isTool = locked.dev === true || locked.optional === true || locked.devOptional === true
    const name = path.replace(/^.*node_modules\//, '')
    return [
      ...(integrity.startsWith('sha512-') ? [] : [`${path}: no SHA-512`]),
      ...(resolved === undefined || resolved.startsWith(REGISTRY) ? [] : [`${path}: from ${resolved}`]),
      ...(isMet(license, isTool ? TOOLS : SHIPPED) ? [] : [`${path}: licence ${license}`]),
      ...(locked.hasInstallScript !== true || INSTALLERS.includes(name) ? [] : [`${path}: runs an install script`]),
    ]
  })
}
