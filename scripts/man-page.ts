/** Manual pages of the commands, from the texts that they print for `-help`. Pure. */

export interface ManPage {
  readonly command: string
  readonly section: 1 | 8
  readonly version: string
  /** One line, as `apropos` shows it. */
  readonly summary: string
  /** What `-help` prints. */
  readonly help: string
}

/** The page as roff. */
export function manPage({ command, section, version, summary, help }: ManPage): string {
  return [
    `.TH ${command.toUpperCase()} ${section} "" "derphttp ${version}"`,
    '.SH NAME',
    `${command} \\- ${escaped(summary)}`,
    '.SH DESCRIPTION',
    '.nf',
    ...help
      .trimEnd()
      .split('\n')
      .map(line => escaped(line.replaceAll('\t', '        '))),
    '.fi',
    '',
  ].join('\n')
}

/** A line that is no request, with hyphens that can be copied. */
function escaped(line: string): string {
  return line.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/, '\\&$&')
}
