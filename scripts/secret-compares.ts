/**
 * Finds secrets that are compared by means whose time tells where two values differ (docs/understand/security/privacy.md). Pure;
 * check-house.ts reads the files.
 */

import type { Measure, Texts } from './house.ts'

const NAME = String.raw`[\w.#?[\]]*?(?:[sS]ecret|[tT]oken|[pP]assword|[pP]sk|[mM]eshKey|[dD]ebugKey|[pP]rivateKey|[sS]ignature|[cC]redentials?)`
const OTHER = String.raw`[\w.#?[\]]+(?:\([^()]*\))?`
/** Compared with these, a secret is only looked for. */
const NOTHING = /^(?:undefined|null|true|false|\d[\d_]*|TEXT)$/

const COMPARES = [
  new RegExp(String.raw`(?<![\w.#])(${NAME}) [!=]==? (${OTHER})`, 'g'),
  new RegExp(String.raw`(?<![\w.#])(${OTHER}) [!=]==? (${NAME})(?![\w.(])`, 'g'),
  new RegExp(String.raw`\bequalBytes\((${NAME}), (${OTHER})\)`, 'g'),
  new RegExp(String.raw`\bequalBytes\((${OTHER}), (${NAME})\)`, 'g'),
]

/** The compares of one text. */
export function secretCompares(text: string): string[] {
  const withoutTexts = text.replaceAll(/'[^'\n]*'/g, 'TEXT')
  const found = COMPARES.flatMap(pattern => [...withoutTexts.matchAll(pattern)])
  const compares = found.filter(([, a = '', b = '']) => !NOTHING.test(a) && !NOTHING.test(b))
  return [...new Set(compares.map(([compare]) => compare))]
}

export function measureSecretCompares(sources: Texts): Measure {
  const found = Array.from(sources, ([path, text]) => [path, secretCompares(text)] as const)
  const problems = found.flatMap(([path, compares]) =>
    compares.map(compare => `${path}: ${compare}: compare secrets with equalConstantTime`),
  )
  return { line: `secrets compared in variable time: ${problems.length}`, problems }
}
