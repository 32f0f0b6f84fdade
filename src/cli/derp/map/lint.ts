/** `derp map lint`: reports errors and likely mistakes in a DERP map. */

import { formatMapPath, type LintIssue } from '../../../derpmap/lint/issue.ts'
import { lintDerpMap } from '../../../derpmap/lint/lint.ts'
import { type MapDocument, readMapDocument } from '../../derp-map/map-document.ts'
import { MAP_SOURCE_HELP, readMapSource } from '../../derp-map/map-source.ts'
import { EXIT_FAILED } from '../../exit.ts'
import { count } from '../../text-table.ts'
import type { AddSubcommand } from '../subcommand.ts'

interface LintOptions {
  readonly json?: boolean
  readonly strict?: boolean
}

export const addLint: AddSubcommand = (parent, { io, done }) => {
  parent
    .command('lint')
    .description('report errors and likely mistakes in a DERP map, with fixes')
    .argument('<source>', `${MAP_SOURCE_HELP}; JSON, Tailscale policy file or Headscale YAML`)
    .option('--json', 'print JSON')
    .option('--strict', 'fail on warnings, too')
    .action(async (source: string, { json, strict }: LintOptions) => {
      const document = readMapDocument(await readMapSource(source, io))
      const issues = lintDocument(document)
      await io.out(json ? jsonReport(source, document, issues) : textReport(source, document, issues))
      const { errors, warnings } = countOf(issues)
      if (errors > 0 || (strict && warnings > 0)) done(EXIT_FAILED)
    })
}

/** Issues of the text and of the map in it. */
export function lintDocument({ value, format, path, issues }: MapDocument): readonly LintIssue[] {
  if (issues.some(({ severity }) => severity === 'error') && value === undefined) return issues
  return [...issues, ...lintDerpMap({ value, format, path })]
}

function textReport(source: string, document: MapDocument, issues: readonly LintIssue[]): string {
  const lines = issues.map(({ severity, rule, path, message, fix }) => {
    const place = document.placeOf(path)
    const at = place === undefined ? source : `${source}:${place.line}:${place.column}`
    return `${at}: ${severity}: ${formatMapPath(path)}: ${message}; ${fix} [${rule}]`
  })
  return `${[...lines, `${source}: ${summary(document, issues)}`].join('\n')}\n`
}

const FORMAT_NAMES = { json: 'JSON', policy: 'policy file', yaml: 'YAML' } as const

function summary({ format }: MapDocument, issues: readonly LintIssue[]): string {
  const { errors, warnings } = countOf(issues)
  return `${FORMAT_NAMES[format]}, ${count(errors, 'error')}, ${count(warnings, 'warning')}`
}

function jsonReport(source: string, document: MapDocument, issues: readonly LintIssue[]): string {
  const report = {
    source,
    format: document.format,
    ...countOf(issues),
    issues: issues.map(({ path, ...issue }) => ({ ...issue, path: formatMapPath(path), ...document.placeOf(path) })),
  }
  return `${JSON.stringify(report, undefined, 2)}\n`
}

function countOf(issues: readonly LintIssue[]): { errors: number; warnings: number } {
  const errors = issues.filter(({ severity }) => severity === 'error').length
  return { errors, warnings: issues.length - errors }
}
