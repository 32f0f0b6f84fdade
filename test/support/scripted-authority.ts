/** A scripted stand-in for an ACME server, over plain HTTP on loopback. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** Responds to a request, or leaves it open. */
export type Script = (request: IncomingMessage, response: ServerResponse) => void

export class ScriptedAuthority implements AsyncDisposable {
  readonly directoryUrl: string
  /** Requested paths, in order. */
  readonly asked: string[]
  readonly #server: Server

  private constructor(server: Server, asked: string[]) {
    this.#server = server
    this.asked = asked
    this.directoryUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dir`
  }

  static async start(script: Script): Promise<ScriptedAuthority> {
    const asked: string[] = []
    const server = createServer((request, response) => {
      asked.push(request.url ?? '')
      script(request, response)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return new ScriptedAuthority(server, asked)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise(resolve => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}
