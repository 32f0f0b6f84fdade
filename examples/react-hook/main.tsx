/** A page that uses the hook: our key, the state, what has come, and a form to send by. */

import { type FormEvent, StrictMode, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { useRelay } from './use-relay.ts'

function Talk({ url }: { readonly url: string }) {
  const { key, state, problem, messages, send } = useRelay(url)
  const [refusal, setRefusal] = useState('')
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    send(fields.get('to') as string, fields.get('text') as string).then(
      () => setRefusal(''),
      (error: Error) => setRefusal(error.message),
    )
  }
  return (
    <>
      <p>
        <output name="state">{state}</output> as <code>{key}</code> <output name="problem">{problem}</output>
      </p>
      <form onSubmit={submit}>
        <input name="to" placeholder="key of the other" aria-label="to" required />
        <input name="text" placeholder="text" aria-label="text" required />
        <button type="submit">Send</button> <output name="refusal">{refusal}</output>
      </form>
      <ul>
        {messages.map(({ id, from, text }) => (
          <li key={id}>
            <code>{from.slice(0, 16)}</code> {text}
          </li>
        ))}
      </ul>
    </>
  )
}

const relay = new URLSearchParams(location.search).get('relay') ?? 'http://127.0.0.1:3340/derp'
const main = document.querySelector('main')
if (main === null) throw new Error('find <main>: the page has none')
createRoot(main).render(
  <StrictMode>
    <Talk url={relay} />
  </StrictMode>,
)
