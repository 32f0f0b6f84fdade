/** The script of the demo: connects, shows the link, and lets its user talk to the other tab. */

import { BrowserClient } from '../../client/browser/browser-client.ts'
import { pageClock } from '../../client/browser/page-clock.ts'
import { PageResilientClient } from '../../client/browser/resilient-client.ts'
import { formatRelayUrl } from '../../client/dial/relay-url.ts'
import { portableAgreement } from '../../keys/portable-box.ts'
import { WebPrivateKey } from '../../keys/web-key.ts'
import { Conversation } from '../pair/conversation.ts'
import { formatInvitation, type Invitation, parseInvitation, SECRET_BYTES } from '../pair/invitation.ts'
import { formatShort, shortKey } from '../status/format.ts'
import { CheckView } from './check-view.ts'
import { byId, make, setText } from './dom.ts'
import { qrCode } from './qr-code.ts'
import { TransfersView } from './transfers-view.ts'
import './demo.css'

const relay = new URL(new URLSearchParams(location.search).get('relay') ?? '/derp', location.href)
const transfers = new TransfersView()
const facts = new Map<string, HTMLElement>()

function showFact(name: string, value: string): void {
  const known = facts.get(name)
  if (known !== undefined) {
    setText(known, value)
    return
  }
  const element = make('dd', {}, value)
  facts.set(name, element)
  byId('facts').append(make('dt', {}, name), element)
}

function showState(text: string): void {
  setText(byId('state'), text)
}

function showInvitation(invitation: Invitation): void {
  const link = new URL(formatInvitation(invitation), location.href).href
  const copy = make('button', { type: 'button' }, 'Copy link')
  copy.addEventListener('click', () => void navigator.clipboard.writeText(link))
  const anchor = make('a', { href: link, target: '_blank', rel: 'noopener', id: 'link' }, link)
  byId('invite').append(qrCode(link, 'QR code of the link'), make('div', {}, make('p', {}, anchor), copy))
  byId('invite').hidden = false
}

function showMessage(text: string, isOurs: boolean): void {
  const log = byId('log')
  log.append(make('p', {}, make('b', {}, isOurs ? 'You: ' : 'Other tab: '), text))
  log.scrollTop = log.scrollHeight
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

function watchForms(conversation: Conversation): void {
  const [input, file] = [byId('text') as HTMLInputElement, byId('file') as HTMLInputElement]
  const failed = (error: unknown) => showState((error as Error).message)
  byId('chat').addEventListener('submit', event => {
    event.preventDefault()
    const { value } = input
    input.value = ''
    conversation.chat(value).catch(failed)
  })
  file.addEventListener('change', () => {
    for (const each of file.files ?? []) {
      each
        .arrayBuffer()
        .then(buffer => conversation.sendFile(each.name, new Uint8Array(buffer)), failed)
        .catch(failed)
    }
    file.value = ''
  })
}

/** A link that was cut off leads to a tab of its own, where nobody comes. */
function waiting(): string {
  if (location.hash === '') return 'Connected; waiting for another tab.'
  return 'Connected, but the link to this page is not complete: copy it again, or open the one below in another tab.'
}

async function start(): Promise<void> {
  const privateKey = await WebPrivateKey.generate()
  const invited = parseInvitation(location.hash)
  const made = { key: privateKey.publicKey(), secret: crypto.getRandomValues(new Uint8Array(SECRET_BYTES)) }
  const client = new PageResilientClient({
    targets: [relay],
    createClient: url => new BrowserClient(privateKey, url),
  })
  const conversation = new Conversation(
    {
      client,
      privateKey,
      agreement: portableAgreement,
      clock: pageClock,
      // Pages from insecure origins have no hash.
      hash: crypto.subtle === undefined ? undefined : sha256,
    },
    invited ?? made,
    {
      onMeet: peer => {
        showState('Connected with the other tab, end-to-end encrypted.')
        showFact('Other tab', shortKey(String(peer)))
        byId('invite').hidden = true
        byId('talk').hidden = false
      },
      onGone: () => showState('The other tab has left the relay.'),
      onChat: showMessage,
      onTransfer: transfer => transfers.show(transfer),
      onLatency: ms => showFact('There and back', `${formatShort(ms)} ms`),
    },
  )
  showFact('Relay', formatRelayUrl(relay))
  showFact('This tab', shortKey(String(privateKey.publicKey())))
  client.events.on('state', ({ state, error }) => {
    if (state === 'connected') showState(invited ? 'Connected; calling the other tab …' : waiting())
    else showState(error === undefined ? 'Connecting to the relay …' : `No connection, trying again: ${error.message}`)
  })
  if (invited === undefined) showInvitation(made)
  watchForms(conversation)
  await conversation.run()
}

new CheckView(byId('check'), 'Diagnose the relay', () => relay)
start().catch(error => showState((error as Error).message))
