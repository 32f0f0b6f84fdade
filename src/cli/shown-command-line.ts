/** The command line as it may be shown. Pure. */

import type { FlagTable } from './go-flags.ts'

/** `args` without the values of secret flags, in whichever way they were given. */
export function withoutSecrets(args: readonly string[], table: FlagTable): string[] {
  return args.map((arg, at) => {
    const [, flag, name = ''] = /^(--?([^=]+)=)/.exec(arg) ?? []
    if (flag !== undefined) return table[name]?.secret === true ? `${flag}…` : arg
    const before = /^--?(.+)$/.exec(args[at - 1] ?? '')?.[1] ?? ''
    return table[before]?.secret === true ? '…' : arg
  })
}
