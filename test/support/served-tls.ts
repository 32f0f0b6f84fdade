/** A listener on loopback of which only TLS is of interest. */

import type { HttpService } from '../../src/listen/http-service.ts'
import { createHttpsListener } from '../../src/listen/node/https-listener.ts'
import { HttpCounters } from '../../src/metrics/http-counters.ts'
import type { RelayTls } from '../../src/tls/relay-tls.ts'

const NOTHING: HttpService = { answer: () => ({ status: 404, body: '' }) }

export class ServedTls implements AsyncDisposable {
  readonly port: number
  readonly #close: () => Promise<void>

  private constructor(port: number, close: () => Promise<void>) {
    this.port = port
    this.#close = close
  }

  static async start(tls: RelayTls): Promise<ServedTls> {
    const listener = createHttpsListener({
      tls,
      routes: NOTHING,
      counters: new HttpCounters(),
      acceptTimeoutMs: 10_000,
    })
    const { port } = await listener.listen(0, '127.0.0.1')
    return new ServedTls(port, () => listener.close())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close()
  }
}
