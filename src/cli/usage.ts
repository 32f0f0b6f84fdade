/** Help text from flag tables. */

import type { FlagSpec, FlagTable } from './go-flags.ts'

/** Flags of one topic. */
export interface UsageSection {
  readonly title: string
  readonly flags: FlagTable
}

/** The text that `-help` prints. */
export function usage(command: string, summary: string, sections: readonly UsageSection[]): string {
  const topics = sections.map(({ title, flags }) => `${title}:\n${sortedFlags(flags).map(flagText).join('\n')}`)
  return `${summary}\n\nUsage of ${command}:\n\n${topics.join('\n\n')}\n`
}

/** Flags by name. */
export function sortedFlags<T extends FlagSpec>(flags: Readonly<Record<string, T>>): [name: string, flag: T][] {
  return Object.entries(flags).sort(([a], [b]) => (a < b ? -1 : 1))
}

function flagText([name, { kind, default: value, help }]: [string, FlagSpec]): string {
  const argument = kind === 'bool' ? '' : ` ${kind}`
  const shown = kind === 'string' ? `"${value}"` : value
  return `  -${name}${argument}\n\t${help}${value === '' ? '' : ` (default ${shown})`}`
}
