/** The command line with secrets hidden. Pure. */

import type { FlagTable } from './go-flags.ts'

/** Hides values of secret flags, in both notations. */
export function withoutSecrets(args: readonly string[], table: FlagTable): string[] {
  return args.map((arg, at) => {
    const [, flag, name = ''] = /^(--?([^=]+)=)/.exec(arg) ?? []
    if (flag !== undefined) return table[name]?.secret === true ? `${flag}…` : arg
    const before = /^--?(.+)$/.exec(args[at - 1] ?? '')?.[1] ?? ''
    return table[before]?.secret === true ? '…' : arg
  })
}
