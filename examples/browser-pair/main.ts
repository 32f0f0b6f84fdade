/** A page for one of the two tabs: the link for the other, what has come, and a form to send by. */

import { talk } from './pair.ts'

const list = document.querySelector('ul')
const status = document.querySelector('output')
const link = document.querySelector('a')
const form = document.querySelector('form')
const input = document.querySelector('input')

function show(text: string): void {
  const item = document.createElement('li')
  item.textContent = text
  list?.append(item)
}

function showProblem(problem: string): void {
  if (status !== null) status.textContent = problem
}

const complain = (error: unknown) => show(`failed: ${(error as Error).message}`)

async function run(relay: string): Promise<void> {
  const talking = await talk(relay, new URL(location.href), show, showProblem)
  if (link?.parentElement && talking.link !== '') {
    link.href = talking.link
    link.parentElement.hidden = false
  }
  form?.addEventListener('submit', event => {
    event.preventDefault()
    talking.send(input?.value ?? '').catch(complain)
  })
  addEventListener('pagehide', talking.close)
}

run(new URLSearchParams(location.search).get('relay') ?? 'http://127.0.0.1:3340/derp').catch(complain)
