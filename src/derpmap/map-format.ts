/** Tells what a text that is not JSON looks like, so that the error can name what reads it. Pure. */

const READER = 'parseDerpMapText of derphttp/client reads it'

/** A clause for the error message, or nothing. */
export function guessFormat(text: string): string {
  const format = formatOf(text)
  return format === undefined ? '' : ` but looks like ${format}, ${READER}`
}

function formatOf(text: string): string | undefined {
  if (text.startsWith('\uFEFF')) return 'text behind a byte order mark'
  const first = text.trimStart()[0]
  if (first === undefined) return undefined
  if (/^[{[/]/.test(first)) {
    // Strings are taken out first: a URL in one has two slashes.
    const outside = text.replace(/"(?:[^"\\\n]|\\.)*"/g, '""')
    return /\/\/|\/\*|,\s*[}\]]/.test(outside) ? 'JSON with comments or trailing commas (HuJSON)' : undefined
  }
  return /^(?:---|#|["\w-]+:(?:\s|$))/m.test(text) ? 'YAML' : undefined
}
