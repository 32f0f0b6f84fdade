/** The version of this program: of the package, with its commit. */

import manifest from '../../package.json' with { type: 'json' }
import { RUNTIME_TITLE } from '../lib/runtime.ts'
import { sourceCommit } from './source-commit.ts'

let version: string | undefined

/** `0.1.0-g0275c8912`, in the original's form: `g` marks the commit of a repository other than Tailscale's. */
export function programVersion(): string {
  version ??= [manifest.version, sourceCommit()].filter(part => part !== undefined).join('-g')
  return version
}

/** What the commands print for `-version`. */
export function versionLine(): string {
  return `${programVersion()} on ${RUNTIME_TITLE}`
}
