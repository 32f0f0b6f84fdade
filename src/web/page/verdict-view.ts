/** The verdict, and the problems below it. */

import type { Problem, Verdict } from '../status/status-report.ts'
import { byId, make, setText } from './dom.ts'

let shown = ''

export function showVerdict({ level, text, problems }: Verdict): void {
  byId('verdict').className = level
  setText(byId('verdict-text'), sentence(text))
  const now = JSON.stringify(problems)
  if (now === shown) return
  shown = now
  byId('problems').replaceChildren(...problems.map(problemItem))
}

/** @param isFinal whether the browser has given up. */
export function showLost(isFinal: boolean): void {
  byId('verdict').className = 'lost'
  setText(
    byId('verdict-text'),
    isFinal
      ? 'No answer from the relay any more, or no access: reload the page.'
      : 'No answer from the relay: it may be starting again. What is below is old.',
  )
}

function problemItem({ level, text, fix }: Problem): HTMLElement {
  return make('li', { className: level }, make('b', {}, text), ` — ${fix}`)
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
