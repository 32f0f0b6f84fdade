/** What all bundles of the commands share. */

import type { InputOptions, Plugin, RolldownLog } from 'rolldown'

/**
 * Leaves out a part of acme-client that is deprecated, and that nothing here calls: with the node-forge behind it, it would be a
 * third of the bundle. That part uses node-forge as it loads, so it goes as a whole.
 */
const withoutForge: Plugin = {
  name: 'without-forge',
  load: id => (id.endsWith('/acme-client/src/crypto/forge.js') ? 'module.exports = {}' : null),
}

export const COMMAND_BUNDLE: InputOptions = {
  platform: 'node',
  resolve: { mainFields: ['module', 'main'] },
  plugins: [withoutForge],
  onwarn: failOnWarning,
}

/** Throws for whatever the bundler warns of. */
export function failOnWarning(warning: RolldownLog): void {
  throw new Error(`bundle: ${warning.message}`)
}
