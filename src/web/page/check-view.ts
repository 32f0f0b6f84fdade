/** Diagnoses a relay from the browser: shows the steps of `derp doctor` that pages can run, as they end. */

import { browserPlatform } from '../../diagnose/browser-platform.ts'
import { diagnoseRelay, type RelayReport, type StepReport } from '../../diagnose/diagnose.ts'
import { targetOfUrl } from '../../diagnose/target.ts'
import type { Verdict } from '../../diagnose/verdict.ts'
import { make, setText } from './dom.ts'

const MARKS: Readonly<Record<Verdict['status'], string>> = {
  passed: 'ok',
  failed: 'failed',
  warning: 'warning',
  skipped: 'skipped',
}

/** A button, the results, and the conclusion. */
export class CheckView {
  readonly #button: HTMLButtonElement
  readonly #steps = make('ul', { className: 'steps' })
  readonly #sum = make('p', { className: 'sum', role: 'status' })
  readonly #urlOf: () => URL

  /** @param urlOf the relay to examine, when the button is pressed. */
  constructor(home: HTMLElement, title: string, urlOf: () => URL) {
    this.#button = make('button', { type: 'button' }, title)
    this.#urlOf = urlOf
    this.#button.addEventListener('click', () => void this.#run())
    home.append(make('p', {}, this.#button), this.#sum, this.#steps)
    home.hidden = false
  }

  async #run(): Promise<void> {
    this.#button.disabled = true
    this.#steps.replaceChildren()
    setText(this.#sum, 'Checking …')
    try {
      const report = await diagnoseRelay({
        target: targetOfUrl(this.#urlOf()),
        platform: browserPlatform(),
        onStep: step => this.#show(step),
      })
      setText(this.#sum, sumOf(report))
    } catch (error) {
      setText(this.#sum, `The check failed: ${(error as Error).message}`)
    } finally {
      this.#button.disabled = false
    }
  }

  /** Steps that no page can run say nothing about the relay. */
  #show({ title, verdict, ms }: StepReport): void {
    if (verdict.status === 'skipped') return
    const line = make('li', { className: verdict.status })
    line.append(
      make('b', {}, MARKS[verdict.status]),
      make('span', {}, title),
      make('span', {}, `${Math.round(ms)} ms`),
      make('span', { className: 'detail' }, detailOf(verdict)),
    )
    this.#steps.append(line)
  }
}

function detailOf(verdict: Exclude<Verdict, { status: 'skipped' }>): string {
  return verdict.status === 'passed' ? verdict.detail : `${verdict.cause.sentence} (${verdict.detail})`
}

function sumOf({ steps, conclusion }: RelayReport): string {
  const skipped = steps.filter(({ verdict }) => verdict.status === 'skipped').length
  const rest = skipped === 0 ? '' : ` ${skipped} steps need “derp doctor” on a command line.`
  if (conclusion === undefined) return `No problems found from this browser.${rest}`
  return `${conclusion.cause.sentence}: ${conclusion.cause.fix}.`
}
