/** A web server on loopback for pages of tests. */

import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A file to be served. */
export interface ServedFile {
  readonly type: 'text/html' | 'text/javascript'
  readonly body: string
}

export class PageServer implements AsyncDisposable {
  /** Paths that were asked for. */
  readonly requests: string[] = []
  readonly #server: Server

  private constructor(files: ReadonlyMap<string, ServedFile>) {
    this.#server = createServer((request, response) => {
      const path = request.url ?? '/'
      this.requests.push(path)
      const file = files.get(path)
      if (file === undefined) response.writeHead(404).end()
      else response.writeHead(200, { 'Content-Type': `${file.type}; charset=utf-8` }).end(file.body)
    })
  }

  /** Serves `files` by path. */
  static async start(files: ReadonlyMap<string, ServedFile>): Promise<PageServer> {
    const server = new PageServer(files)
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }
}
