/** Pages with recorded output between markers, and how it gets there. */

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const DOCS = join(import.meta.dirname, '../docs')

/** What is recorded: a tool's output, or a session with relays; and by which script. */
export interface TranscriptKind {
  readonly marker: string
  readonly writer: string
}

/** The pages that have transcripts of a kind, as paths and texts. */
export function pagesWithTranscripts({ marker }: TranscriptKind): Map<string, string> {
  const pages = globSync('**/*.md', { cwd: DOCS }).sort()
  const texts = pages.map(name => [join(DOCS, name), readFileSync(join(DOCS, name), 'utf8')] as const)
  return new Map(texts.filter(([, text]) => text.includes(`<!-- ${marker} `)))
}

/** The transcripts that pages have at markers of a kind, by name. */
export function transcriptsIn(kind: TranscriptKind, pages: ReadonlyMap<string, string>): Map<string, string> {
  const found = [...pages.values()].flatMap(text => [...text.matchAll(placeOf(kind))])
  return new Map(found.map(([, name = '', transcript = '']) => [name, transcript]))
}

/** `pages` with the transcripts at their markers. @throws Error for a marker without a transcript, or the reverse. */
export function withTranscripts(
  kind: TranscriptKind,
  pages: ReadonlyMap<string, string>,
  transcripts: ReadonlyMap<string, string>,
): Map<string, string> {
  const left = new Set(transcripts.keys())
  const fill = (text: string) =>
    text.replaceAll(placeOf(kind), (_, name: string) => {
      const transcript = transcripts.get(name)
      if (transcript === undefined) throw new Error(`write transcript ${name}: no such scene`)
      left.delete(name)
      return `<!-- ${kind.marker} ${name}: written by ${kind.writer} -->\n\`\`\`console\n${transcript}\n\`\`\``
    })
  const written = new Map(Array.from(pages, ([path, text]) => [path, fill(text)]))
  if (left.size > 0) throw new Error(`write transcripts: no marker for ${[...left].join(', ')}`)
  return written
}

/** A marker and the block below it: name and transcript. */
function placeOf({ marker }: TranscriptKind): RegExp {
  return new RegExp(`<!-- ${marker} ([\\w-]+)[^>]*-->\\n\`\`\`console\\n([\\s\\S]*?)\\n?\`\`\``, 'g')
}
