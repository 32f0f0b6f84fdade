/** What all bundles of the commands share. */

import type { InputOptions, Plugin, RolldownLog } from 'rolldown'

/**
 * Parts of packages that nothing here calls. That of acme-client is deprecated: with the node-forge behind it, it would be a third
 * of the bundle; it uses node-forge as it loads, so it goes as a whole. Those of the NATS client measure it, and connect browsers.
 */
const UNUSED = ['acme-client/src/crypto/forge', '@nats-io/nats-core/lib/bench', '@nats-io/nats-core/lib/ws_transport']

const withoutUnused: Plugin = {
  name: 'without-unused',
  load: id => (UNUSED.some(part => id.endsWith(`/${part}.js`)) ? 'module.exports = {}' : null),
}

export const COMMAND_BUNDLE: InputOptions = {
  platform: 'node',
  resolve: { mainFields: ['module', 'main'] },
  plugins: [withoutUnused],
  onwarn: failOnWarning,
}

/** Throws for whatever the bundler warns of. */
export function failOnWarning(warning: RolldownLog): void {
  throw new Error(`bundle: ${warning.message}`)
}
