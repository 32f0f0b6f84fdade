/** Our relay beside the original: the same bytes in, the same observable out. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MeshKey } from '../../src/keys/mesh-key.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { ListeningRelay } from '../../test/support/listening-relay.ts'
import { startReferenceRelay } from '../../test/support/relays.ts'
import { MESH_KEY } from '../support/session-input.ts'
import { observe } from './observe.ts'

export interface StockDifference {
  readonly input: Uint8Array
  readonly ours: string
  readonly stock: string
}

export class AgainstStock implements AsyncDisposable {
  readonly #ours: ListeningRelay
  readonly #stockPort: number
  readonly #end: () => Promise<void>

  private constructor(ours: ListeningRelay, stockPort: number, end: () => Promise<void>) {
    this.#ours = ours
    this.#stockPort = stockPort
    this.#end = end
  }

  static async start(): Promise<AgainstStock> {
    const directory = mkdtempSync(join(tmpdir(), 'fuzz-stock-'))
    const keyFile = join(directory, 'mesh.key')
    writeFileSync(keyFile, `${MESH_KEY}\n`)
    const stock = await startReferenceRelay(['-mesh-psk-file', keyFile])
    const ours = await ListeningRelay.start({ meshKey: MeshKey.parse(MESH_KEY) })
    return new AgainstStock(ours, stock.port, async () => {
      await Promise.all([stock.stop(), ours[Symbol.asyncDispose]()])
      rmSync(directory, { recursive: true })
    })
  }

  /** Undefined if both let a client see the same. */
  async compare(input: Uint8Array): Promise<StockDifference | undefined> {
    const key = NodePrivateKey.generate()
    const ports = [this.#ours.port, this.#stockPort]
    const [ours = '', stock = ''] = await Promise.all(ports.map(port => observe(port, input, key)))
    return ours === stock ? undefined : { input, ours, stock }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end()
  }
}
