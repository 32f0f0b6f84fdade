/**
 * Splits JSON into tokens, up to a maximum, in time linear in its length (P-033, P-034).
 *
 * Checks nothing else: `JSON.parse` tells whether it is JSON.
 */

/** Maximum number of brackets, commas, colons and values. Real logins have fewer than 40. */
export const MAX_JSON_TOKENS = 1_024
/** Maximum nesting depth. */
export const MAX_JSON_DEPTH = 32

/** Too many tokens, or nested too deep; the message says which. */
export class JsonBoundsError extends Error {}

const [QUOTE, BACKSLASH, SPACE] = [0x22, 0x5c, 0x20]
const OPENING: ReadonlySet<string> = new Set('{[')
const CLOSING: ReadonlySet<string> = new Set('}]')
const DELIMITER = /[\s{}[\],:"]/g

/** The tokens in order; a text is one token however long it is. @throws JsonBoundsError */
export function readJsonTokens(json: string): readonly string[] {
  const tokens: string[] = []
  let depth = 0
  for (let at = skipSpace(json, 0); at < json.length; ) {
    const end = endOfToken(json, at)
    const token = json.slice(at, end)
    if (tokens.length === MAX_JSON_TOKENS) throw new JsonBoundsError(`more than ${MAX_JSON_TOKENS} tokens`)
    tokens.push(token)
    if (OPENING.has(token)) depth++
    else if (CLOSING.has(token)) depth--
    if (depth > MAX_JSON_DEPTH) throw new JsonBoundsError(`nested more than ${MAX_JSON_DEPTH} deep`)
    at = skipSpace(json, end)
  }
  return tokens
}

function skipSpace(json: string, from: number): number {
  let at = from
  // Past the end, the code is NaN.
  while (json.charCodeAt(at) <= SPACE) at++
  return at
}

function endOfToken(json: string, at: number): number {
  if (json.charCodeAt(at) === QUOTE) return endOfText(json, at)
  DELIMITER.lastIndex = at
  const found = DELIMITER.exec(json)?.index ?? json.length
  // A delimiter is a token by itself.
  return found === at ? at + 1 : found
}

/** Just past the closing quote, or at the end of the text. */
function endOfText(json: string, at: number): number {
  for (let from = at + 1; ; ) {
    const quote = json.indexOf('"', from)
    if (quote === -1) return json.length
    let first = quote
    // Ends at the previous quote at the latest.
    while (json.charCodeAt(first - 1) === BACKSLASH) first--
    // An even number of backslashes escape each other.
    if ((quote - first) % 2 === 0) return quote + 1
    from = quote + 1
  }
}
