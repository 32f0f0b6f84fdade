/** Manual pages as roff. Pure. */

export interface ManPage {
  readonly command: string
  readonly section: 1 | 8
  /** Of the version. */
  readonly date: Date
  readonly version: string
  /** One line, as `apropos` shows it. */
  readonly summary: string
  readonly parts: readonly ManPart[]
}

/** What stands under one heading. */
export interface ManPart {
  readonly title: string
  /** Below the part before it. */
  readonly isNested?: boolean
  /** Lines that keep their breaks. */
  readonly lines?: readonly string[]
  readonly paragraphs?: readonly string[]
  readonly items?: readonly ManItem[]
}

export interface ManItem {
  /** To be typed as it is. */
  readonly term: string
  /** To be replaced. */
  readonly argument?: string
  readonly text: string
}

/** The page. */
export function manPage({ command, section, date, version, summary, parts }: ManPage): string {
  const day = date.toISOString().slice(0, 10)
  return `${[
    `.TH ${command.toUpperCase()} ${section} ${day} "derphttp ${version}"`,
    // Flags stay whole, to be copied.
    '.nh',
    '.ad l',
    '.SH NAME',
    `${escaped(command)} \\- ${escaped(summary)}`,
    ...parts.flatMap(linesOf),
  ].join('\n')}\n`
}

function linesOf({ title, isNested = false, lines = [], paragraphs = [], items = [] }: ManPart): string[] {
  return [
    isNested ? `.SS ${quoted(title)}` : `.SH ${quoted(title)}`,
    ...(lines.length === 0 ? [] : ['.nf', ...lines.map(escaped), '.fi']),
    ...paragraphs.flatMap((text, at) => (at === 0 && lines.length === 0 ? [escaped(text)] : ['.PP', escaped(text)])),
    ...items.flatMap(itemLines),
  ]
}

function itemLines({ term, argument, text }: ManItem): string[] {
  const shown = `\\fB${escaped(term)}\\fR${argument === undefined ? '' : ` \\fI${escaped(argument)}\\fR`}`
  return ['.TP', shown, escaped(text)]
}

/** One argument of a request. */
function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '\\(dq')}"`
}

/** A line that is no request, with hyphens and quotes that can be copied. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga')
    .replace(/^\./, '\\&.')
}
