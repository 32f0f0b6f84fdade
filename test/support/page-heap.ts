/** The heap of a page of Chromium, by snapshots. */

import type { CDPSession } from 'playwright-core'

/** The parts of a snapshot that are read. */
interface Snapshot {
  readonly snapshot: {
    readonly meta: { readonly node_fields: readonly string[]; readonly node_types: readonly [readonly string[]] }
  }
  /** As many numbers a node as there are fields. */
  readonly nodes: readonly number[]
  readonly strings: readonly string[]
}

/** What the engine makes of code, whenever it sees fit. */
const COMPILED: ReadonlySet<string> = new Set(['code', 'object shape'])
/** What the console keeps, of which the browser bounds the number. */
const CONSOLE: ReadonlySet<string> = new Set(['blink::ConsoleMessage', 'blink::SourceLocation'])

export class PageHeap {
  readonly #session: CDPSession
  #chunks: string[] = []

  constructor(session: CDPSession) {
    this.#session = session
    session.on('HeapProfiler.addHeapSnapshotChunk', ({ chunk }) => this.#chunks.push(chunk))
  }

  /** Bytes of all objects that are reachable, those of the browser included. */
  async objectBytes(): Promise<number> {
    this.#chunks = []
    await this.#session.send('HeapProfiler.collectGarbage')
    await this.#session.send('HeapProfiler.takeHeapSnapshot')
    return objectBytesOf(JSON.parse(this.#chunks.join('')) as Snapshot)
  }
}

function objectBytesOf({ snapshot, nodes, strings }: Snapshot): number {
  const { node_fields: fields, node_types } = snapshot.meta
  const [typeAt, nameAt, sizeAt] = ['type', 'name', 'self_size'].map(field => fields.indexOf(field)) as [
    number,
    number,
    number,
  ]
  const at = (index: number) => nodes[index] ?? 0
  let bytes = 0
  for (let node = 0; node < nodes.length; node += fields.length) {
    const type = node_types[0][at(node + typeAt)] ?? ''
    const name = strings[at(node + nameAt)] ?? ''
    if (!COMPILED.has(type) && !CONSOLE.has(name)) bytes += at(node + sizeAt)
  }
  return bytes
}
