/** Fenced blocks of pages, and the commands in those for a shell. Pure; doc-commands.test.ts reads the pages. */

/** A fenced block. */
export interface Block {
  readonly path: string
  /** Of its first line in the page. */
  readonly line: number
  /** After the fence; may be empty. */
  readonly language: string
  readonly text: string
}

/** One program and its arguments, without redirections. */
export interface ShellCommand {
  readonly program: string
  readonly args: readonly string[]
  /** Variables set before it. */
  readonly env: Readonly<Record<string, string>>
}

const FENCED = /^```(?<language>\w*)[^\n]*\n(?<text>[\s\S]*?)^```$/gm

/** The blocks of a page, in order. */
export function blocksOf(path: string, page: string): Block[] {
  return Array.from(page.matchAll(FENCED), ({ index, groups }) => {
    const { language = '', text = '' } = groups ?? {}
    return { path, line: page.slice(0, index).split('\n').length + 1, language, text }
  })
}

/** What a reader types: all of a block `sh`, and of a `console` what follows prompts. */
export function inputOf({ language, text }: Block): string | undefined {
  if (language === 'sh') return text
  if (language !== 'console') return undefined
  const lines = text.split('\n')
  const typed = lines.filter(line => line.startsWith('$ ')).map(line => line.slice(2))
  return typed.length > 0 ? typed.join('\n') : text
}

/** Words of the grammar, before commands. */
const KEYWORDS: ReadonlySet<string> = new Set(['if', 'then', 'else', 'fi', 'for', 'do', 'done', 'while', 'until', '!'])

/** The commands of a script, those in `$(…)` included. @throws Error for an open quote. */
export function commandsOf(script: string): ShellCommand[] {
  const commands: ShellCommand[] = []
  let words: string[] = []
  const end = () => {
    const command = commandOf(words)
    if (command !== undefined) commands.push(command)
    words = []
  }
  for (const token of tokensOf(script)) {
    if (token.kind === 'word') words.push(token.text)
    else if (token.kind === 'inner') commands.push(...commandsOf(token.text))
    else if (/^\d?[<>]/.test(token.text)) words.push(token.text)
    else end()
  }
  end()
  return commands
}

function commandOf(words: readonly string[]): ShellCommand | undefined {
  const kept = withoutRedirections(words)
  const env: Record<string, string> = {}
  let at = 0
  for (; at < kept.length; at++) {
    const word = kept[at] as string
    const [, name, value] = /^([A-Za-z_]\w*)=(.*)$/s.exec(word) ?? []
    if (name !== undefined) env[name] = value ?? ''
    else if (!KEYWORDS.has(word)) break
  }
  const [program, ...args] = kept.slice(at)
  return program === undefined ? undefined : { program, args, env }
}

function withoutRedirections(words: readonly string[]): string[] {
  const kept: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string
    if (!/^\d?[<>]/.test(word)) kept.push(word)
    else if (!/&\d$/.test(word)) at++
  }
  return kept
}

interface Token {
  /** `inner` is the script in `$(…)`. */
  readonly kind: 'word' | 'operator' | 'inner'
  readonly text: string
}

const OPERATOR = /^(?:\d?>>?(?:&\d)?|\d?<|&&|\|\||[;&|(){}\n])/

/** The text after the line that begins it is no command. */
const HERE_DOCUMENT = /<<-?['"]?(?<end>\w+)['"]?([^\n]*)\n[\s\S]*?^\k<end>$/gm

function* tokensOf(script: string): Generator<Token> {
  const rest = script.replaceAll(HERE_DOCUMENT, '$2').replaceAll(/\\\n\s*/g, ' ')
  let at = 0
  while (at < rest.length) {
    const here = rest.slice(at)
    const [blank = ''] = /^(?:[^\S\n]+|#[^\n]*)/.exec(here) ?? []
    if (blank !== '') {
      at += blank.length
      continue
    }
    const [operator = ''] = OPERATOR.exec(here) ?? []
    if (operator !== '') {
      at += operator.length
      yield { kind: 'operator', text: operator }
      continue
    }
    const { text, inner, length } = wordAt(here)
    for (const each of inner) yield { kind: 'inner', text: each }
    yield { kind: 'word', text }
    at += length
  }
}

/** The word at the start of `text`, without its quotes. */
function wordAt(text: string): { text: string; inner: string[]; length: number } {
  let word = ''
  const inner: string[] = []
  let at = 0
  while (at < text.length && !/[\s;&|<>()]/.test(text[at] as string)) {
    const rest = text.slice(at)
    const [quoted = ''] = /^(?:'[^']*'|"(?:[^"\\]|\\[\s\S])*")/.exec(rest) ?? []
    const [substituted = ''] = /^\$\([^()]*\)/.exec(rest) ?? []
    const piece = quoted || substituted || rest.slice(0, rest.startsWith('\\') ? 2 : 1)
    if (quoted === '' && /^['"]/.test(rest)) throw new Error(`split ${text.split('\n')[0]}: a quote is not closed`)
    for (const [, script = ''] of piece.startsWith("'") ? [] : piece.matchAll(/\$\(([^()]*)\)/g)) inner.push(script)
    word += quoted === '' ? piece.replace(/^\\/, '') : quoted.slice(1, -1)
    at += piece.length
  }
  return { text: word, inner, length: at }
}
