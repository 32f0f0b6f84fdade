/** Documentation of the flags of `derper` and `derpprobe`, generated from their tables. Pure; for the writer and the test. */

import { DERPER_SECTIONS } from '../src/cli/derper/derper-flags.ts'
import type { DerperFlag, FlagOrigin } from '../src/cli/derper/flags/derper-flag.ts'
import { DERPPROBE_SECTIONS } from '../src/cli/derpprobe/probe-flags.ts'
import type { FlagSpec } from '../src/cli/go-flags.ts'
import { sortedFlags } from '../src/cli/usage.ts'
import { reportSchema } from '../src/monitor/report.ts'

const BEGIN = '<!-- Flags: written by scripts/write-flag-docs.ts -->'
const END = '<!-- End of flags -->'

const ORIGINS: Readonly<Record<FlagOrigin, string>> = {
  original: '1.84.1',
  newer: '1.104.5',
  ours: 'ours',
}

/** `text` with the tables of `derper`'s flags between their markers. @throws Error without markers. */
export function withFlagTables(text: string): string {
  return withTables(text, flagTables())
}

/** `text` with the table of `derpprobe`'s flags between their markers. @throws Error without markers. */
export function withProbeFlags(text: string): string {
  const rows = DERPPROBE_SECTIONS.flatMap(({ flags }) => sortedFlags(flags))
    .filter(([, { refused }]) => refused === undefined)
    .map(([name, flag]) => `| ${shownFlag(name, flag)} | ${shownDefault(flag)} | ${cellOf(flag.help)} |`)
  return withTables(text, ['| flag | default | what it does |', '|---|---|---|', ...rows].join('\n'))
}

function withTables(text: string, tables: string): string {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`write flags: no "${BEGIN}" and "${END}"`)
  return `${text.slice(0, begin)}${BEGIN}\n\n${tables}\n\n${text.slice(end)}`
}

function flagTables(): string {
  return DERPER_SECTIONS.map(({ title, flags }) => {
    const rows = sortedFlags(flags).map(([name, flag]) => rowOf(name, flag))
    return [
      `### Flags: ${title}`,
      '',
      '| flag | of | default | what it does | test |',
      '|---|---|---|---|---|',
      ...rows,
    ].join('\n')
  }).join('\n\n')
}

function rowOf(name: string, flag: DerperFlag): string {
  const { help, origin, test, live } = flag
  const shown = `${shownFlag(name, flag)}${live === true ? ', live' : ''}`
  // No link: the package has these pages, but no tests.
  const file = test.replace(/^.*\//, '').replace('.test.ts', '')
  return `| ${shown} | ${ORIGINS[origin]} | ${shownDefault(flag)} | ${cellOf(help)} | \`${file}\` |`
}

function shownFlag(name: string, { kind, secret }: FlagSpec): string {
  return `\`-${name}\`${kind === 'bool' ? '' : ` ${kind}`}${secret === true ? ', secret' : ''}`
}

function shownDefault({ default: value }: FlagSpec): string {
  return value === '' ? '' : `\`${value}\``
}

function cellOf(text: string): string {
  return text.replaceAll('|', '\\|')
}

/** The JSON Schema of the file of `-config`. */
export function configSchema(): string {
  const flags = DERPER_SECTIONS.flatMap(section => sortedFlags<DerperFlag>(section.flags))
  // The file cannot name another file; flags rejected on the command line are rejected here, too.
  const settable = flags.filter(([name, { refused }]) => name !== 'config' && refused === undefined)
  const properties = Object.fromEntries(settable.map(([name, flag]) => [name, propertyOf(flag)]))
  const schema = {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Configuration file of derper',
    $comment: 'Written by scripts/write-flag-docs.ts from the table of flags',
    type: 'object',
    properties: { $schema: { type: 'string' }, ...properties },
    additionalProperties: false,
  }
  return `${JSON.stringify(schema, undefined, 2)}\n`
}

const DURATION = '^[+-]?(0|((\\d+\\.?\\d*|\\.\\d+)(ns|us|µs|μs|ms|s|m|h))+)$'

function propertyOf({ kind, default: value, help: description }: DerperFlag): object {
  switch (kind) {
    case 'bool':
      return { type: 'boolean', description, default: value === 'true' }
    case 'string':
      return { type: 'string', description, default: value }
    case 'duration':
      return { type: 'string', description, pattern: DURATION, default: value }
    case 'int':
    case 'float': {
      // JSON has neither infinity nor 64-bit integers: such a default is omitted.
      const fallback = Number(value)
      const type = kind === 'int' ? 'integer' : 'number'
      return { type, description, ...(Math.abs(fallback) <= Number.MAX_SAFE_INTEGER && { default: fallback }) }
    }
  }
}

/** The JSON Schema of `derpprobe -once -format json`. */
export function probeSchema(): string {
  return `${JSON.stringify(reportSchema(), undefined, 2)}\n`
}
