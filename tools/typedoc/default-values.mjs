/** A plugin of typedoc: shows a default and its bounds where a doc comment links to one, such as `DEFAULTS.keepAliveMs`. */

import { readFileSync } from 'node:fs'
import { Converter } from 'typedoc'

/** A constant, or a member of the object `DEFAULTS`, of the file that has the comment. Other links stay links. */
const NAME = /^(?:DEFAULTS\.(\w+)|([A-Z][A-Z\d_]+))$/
/** Digits, a product of them, or another constant. */
const VALUE = '([\\d_]+(?: (?:<<|\\*\\*|\\*) [\\d_]+)?|[A-Z][A-Z_]+)'

/** @param {import('typedoc').Application} app */
export function load(app) {
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const reflection of Object.values(project.reflections)) {
      const file = project.getSymbolIdFromReflection(reflection)?.fileName
      const { comment } = reflection
      if (file === undefined || comment === undefined) continue
      comment.summary = comment.summary.map(part => shown(part, readFileSync(file, 'utf8')))
    }
  })
}

/** @param {import('typedoc').CommentDisplayPart} part @param {string} source */
function shown(part, source) {
  if (part.kind !== 'inline-tag' || part.tag !== '@link') return part
  const [, option, constant] = NAME.exec(part.text) ?? []
  const name = option ?? constant
  if (name === undefined) return part
  const value = new RegExp(`\\b${name}(?:: | = )${VALUE}(?=[,\\s])`).exec(source)?.[1]
  if (value === undefined) return part
  const [, least, most] = new RegExp(`\\b${name}: \\[([^,]+), ([^\\]]+)\\]`).exec(source) ?? []
  const bounds = least === undefined ? '' : ` (from ${least} to ${most})`
  return { kind: 'text', text: `\`${value}\`${bounds}` }
}
