/**
 * A {@link FaultProxy} that is told by HTTP requests what to do, for clients in browsers and other runtimes.
 *
 * `POST /spoil?fault=cut` spoils all connections, `POST /gate?state=refusing` treats new ones so; both answer with the
 * number of connections that were accepted so far.
 */

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Fault, FaultProxy, type Gate } from './fault-proxy.ts'

export class ProxyControl implements AsyncDisposable {
  readonly proxy: FaultProxy
  readonly #server: Server

  private constructor(proxy: FaultProxy) {
    this.proxy = proxy
    this.#server = createServer((request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://control.test')
      if (pathname === '/spoil') proxy.spoilAll(searchParams.get('fault') as Fault)
      if (pathname === '/gate') proxy.gate = searchParams.get('state') as Gate
      response.writeHead(200, { 'Access-Control-Allow-Origin': '*' }).end(String(proxy.accepted))
    })
  }

  /** Starts a proxy for a port of loopback, and what tells it. */
  static async start(targetPort: number): Promise<ProxyControl> {
    const control = new ProxyControl(await FaultProxy.start(targetPort))
    control.#server.listen(0, '127.0.0.1')
    await once(control.#server, 'listening')
    return control
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
    await this.proxy[Symbol.asyncDispose]()
  }
}
