/** Guesses the format of text that is not JSON, for an error that names the right reader. Pure. */

const READER = 'parseDerpMapText of derphttp/client reads it'

/** Part of an error message, or empty. */
export function guessFormat(text: string): string {
  const format = formatOf(text)
  return format === undefined ? '' : ` but looks like ${format}, ${READER}`
}

function formatOf(text: string): string | undefined {
  if (text.startsWith('\uFEFF')) return 'text with a byte order mark'
  const first = text.trimStart()[0]
  if (first === undefined) return undefined
  if (/^[{[/]/.test(first)) {
    // Without strings, as URLs contain `//`.
    const outside = text.replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
    return /\/\/|\/\*|,\s*[}\]]/.test(outside) ? 'JSON with comments or trailing commas (HuJSON)' : undefined
  }
  return /^(?:---|#|["\w-]+:(?:\s|$))/m.test(text) ? 'YAML' : undefined
}
