/** Help text from a table of flags. */

import type { FlagTable } from './go-flags.ts'

/** The text that `-help` prints. */
export function usage(command: string, summary: string, table: FlagTable): string {
  const flags = Object.entries(table)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { kind, default: value, help }]) => {
      const argument = kind === 'bool' ? '' : ` ${kind}`
      const shown = kind === 'string' ? `"${value}"` : value
      return `  -${name}${argument}\n\t${help}${value === '' ? '' : ` (default ${shown})`}`
    })
  return `${summary}\n\nUsage of ${command}:\n${flags.join('\n')}\n`
}
