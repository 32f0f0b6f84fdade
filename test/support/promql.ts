/** Which metrics and labels a PromQL expression uses; enough of the language for dashboards and alert rules. */

/** A metric selector. */
export interface Selector {
  readonly metric: string
  /** Matched labels. */
  readonly labels: readonly string[]
}

export interface PromqlUses {
  readonly selectors: readonly Selector[]
  /** Labels that results are grouped or joined on. */
  readonly groupedBy: readonly string[]
}

const GROUPING = /\b(?:by|on|group_left|group_right)\s*\(([^)]*)\)/g
const RANGE = /\[[^\]]*\]/g
const SELECTOR = /(?<![\w.$:])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\()?/g
const MATCHER = /([a-zA-Z_]\w*)\s*(?:=~|!~|!=|=)\s*"/g
const WORDS: ReadonlySet<string> = new Set([
  'and',
  'or',
  'unless',
  'offset',
  'bool',
  'sum',
  'max',
  'min',
  'avg',
  'count',
])

/** Parses an expression. @throws Error for `without` or `ignoring`, which do not name the labels needed. */
export function promqlUses(expression: string): PromqlUses {
  if (/\b(?:without|ignoring)\b/.test(expression)) throw new Error(`read "${expression}": name the labels to keep`)
  const groupedBy = Array.from(expression.matchAll(GROUPING), ([, labels = '']) => labels.split(','))
    .flat()
    .map(label => label.trim())
  const bare = expression.replace(GROUPING, '').replace(RANGE, '')
  const selectors = Array.from(bare.matchAll(SELECTOR), ([, metric = '', rest = '']) => ({ metric, rest }))
    .filter(({ metric, rest }) => rest !== '(' && !WORDS.has(metric))
    .map(({ metric, rest }) => ({ metric, labels: Array.from(rest.matchAll(MATCHER), ([, label = '']) => label) }))
  return { selectors, groupedBy }
}
