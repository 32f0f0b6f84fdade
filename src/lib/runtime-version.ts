/**
 * Whether the runtime is new enough.
 *
 * An old Node must be able to read this file and what imports it first: no syntax, import or call of later ones.
 */

/** As `engines` of package.json says. */
export const OLDEST_NODE = '24.11'

/** The problem in one line; undefined if the runtime is new enough. `versions` as in `process`; undefined outside of Node. */
export function runtimeProblem(versions: Readonly<Record<string, string | undefined>> | undefined): string | undefined {
  const node = versions === undefined ? undefined : versions['node']
  // Other runtimes also report a version of Node.
  if (versions === undefined || node === undefined || versions['bun'] || versions['deno']) return undefined
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE.split('.').map(Number)
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined
  return `Node.js ${OLDEST_NODE} or newer is needed, this is ${node}: install a current one from nodejs.org`
}
