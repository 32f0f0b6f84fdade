/** Log lines for people: time, level, message, then fields. */

/** Characters that can be shown as they are, without quotes. */
const PLAIN = /^[\w.:/@%+,[\]-]+$/
/** Control characters that JSON leaves as they are, and a terminal may obey. */
const CONTROLS = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** A line of pino's as text. */
export function textLine(json: string): string {
  const { time, level, msg, ...fields } = JSON.parse(json) as Record<string, unknown>
  const shown = Object.entries(fields).map(([name, value]) => ` ${name}=${showValue(value)}`)
  return `${String(time)} ${String(level).padEnd(5)} ${escaped(String(msg))}${shown.join('')}\n`
}

function showValue(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return value
  return escaped(JSON.stringify(value))
}

function escaped(text: string): string {
  return text.replaceAll(CONTROLS, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
