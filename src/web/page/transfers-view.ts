/** The table of files: progress, rate, and whether what has arrived is what was sent. */

import type { Transfer } from '../pair/conversation.ts'
import { formatBytes } from '../status/format.ts'
import { byId, make, setText } from './dom.ts'

const WORDS: Readonly<Record<Transfer['state'], string>> = {
  moving: '',
  arrived: ' ',
  equal: ' – equal at both ends',
  different: ' – NOT what was sent',
  failed: 'failed',
}

export class TransfersView {
  readonly #table = byId('files')
  readonly #rows = new Map<string, HTMLTableRowElement>()

  show({ id, isOurs, name, size, bytes, rate, hash, state, file }: Transfer): void {
    const row = this.#rowOf(`${isOurs ? 'sent' : 'received'} ${id}`)
    const [first, progress, speed, sum] = row.cells
    if (first === undefined || progress === undefined || speed === undefined || sum === undefined) return
    if (file === undefined) setText(first, `${isOurs ? '→' : '←'} ${name}`)
    else first.replaceChildren('← ', downloadOf(name, file))
    setText(progress, `${size === 0 ? 100 : Math.floor((100 * bytes) / size)} % of ${formatBytes(size)}`)
    setText(speed, `${formatBytes(rate)}/s`)
    sum.className = state
    setText(sum, `${hash ?? (state === 'moving' ? '…' : '')}${WORDS[state]}`)
  }

  #rowOf(key: string): HTMLTableRowElement {
    const known = this.#rows.get(key)
    if (known !== undefined) return known
    const row = make('tr', {}, ...Array.from({ length: 4 }, () => make('td')))
    this.#rows.set(key, row)
    this.#table.querySelector('tbody')?.append(row)
    this.#table.hidden = false
    return row
  }
}

function downloadOf(name: string, file: Uint8Array<ArrayBuffer>): HTMLAnchorElement {
  const href = URL.createObjectURL(new Blob([file], { type: 'application/octet-stream' }))
  return make('a', { href, download: name }, name)
}
