/** What all bundles of the commands share. */

import type { InputOptions, Plugin, RolldownLog } from 'rolldown'
import { buildCommit } from './commit.ts'

/**
 * Parts of packages that nothing here calls. That of acme-client is deprecated: with the node-forge behind it, it would be a third
 * of the bundle; it uses node-forge as it loads, so it goes as a whole. Those of the NATS client measure it, and connect browsers.
 */
const UNUSED = ['acme-client/src/crypto/forge', '@nats-io/nats-core/lib/bench', '@nats-io/nats-core/lib/ws_transport']

const withoutUnused: Plugin = {
  name: 'without-unused',
  load: id => (UNUSED.some(part => id.endsWith(`/${part}.js`)) ? 'module.exports = {}' : null),
}

/** The commands say which commit they were built from, where they have no repository to ask. */
const withCommit: Plugin = {
  name: 'with-commit',
  load: id =>
    id.endsWith('/src/cli/source-commit.ts')
      ? `export const sourceCommit = () => ${JSON.stringify(buildCommit())}`
      : null,
}

export const COMMAND_BUNDLE: InputOptions = {
  platform: 'node',
  resolve: { mainFields: ['module', 'main'] },
  plugins: [withoutUnused, withCommit],
  onwarn: failOnWarning,
}

/** Throws for any warning of the bundler. */
export function failOnWarning(warning: RolldownLog): void {
  throw new Error(`bundle: ${warning.message}`)
}
