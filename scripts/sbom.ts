/** The bill of materials of what we publish, in CycloneDX: what npm says of the lockfile, less what users do not get. Pure. */

interface Component {
  readonly 'bom-ref': string
  readonly name: string
  readonly version: string
}

interface Dependency {
  readonly ref: string
  readonly dependsOn?: readonly string[]
}

/** Of `npm sbom --sbom-format cyclonedx`. */
export interface Sbom {
  readonly components: readonly Component[]
  readonly dependencies: readonly Dependency[]
}

/** Name and version of packages in a file of licences, such as `yaml 2.9.1`. */
export function packagesIn(licences: string): Set<string> {
  return new Set(Array.from(licences.matchAll(/^(?:@[\w.-]+\/)?[\w.-]+ \d+\.\d+\.\d\S*$/gm), ([line]) => line))
}

/** @throws Error if the lockfile lacks one of the packages. */
export function sbomOf<T extends Sbom>(all: T, shipped: ReadonlySet<string>): T {
  const titleOf = ({ name, version }: Component) => `${name} ${version}`
  // To npm, what is bundled is a tool.
  const components = all.components
    .filter(each => shipped.has(titleOf(each)))
    .map(each => ({ ...each, scope: 'required', properties: [] }))
  const listed = new Set(components.map(titleOf))
  const missing = [...shipped].filter(title => !listed.has(title))
  if (missing.length > 0) throw new Error(`list what is shipped: not in the lockfile: ${missing.join(', ')}`)
  const kept = new Set(components.map(each => each['bom-ref']))
  const ownRef = all.dependencies.find(({ ref }) => !all.components.some(each => each['bom-ref'] === ref))?.ref
  const dependencies = all.dependencies
    .filter(({ ref }) => kept.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter(each => kept.has(each)) }))
  const own = ownRef === undefined ? [] : [{ ref: ownRef, dependsOn: [...kept] }]
  return { ...all, components, dependencies: [...own, ...dependencies] }
}
