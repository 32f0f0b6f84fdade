/** Stock Go clients, driven by JSON lines; see test/interop/README.md for the operations. */

import { goTools } from './go-tools.ts'
import { type Program, startProgram } from './process.ts'

/** A line printed by the program. */
export interface StockLine {
  readonly id?: number
  readonly ok?: boolean
  readonly error?: string
  readonly event?: string
  readonly client?: string
  readonly type?: string
  readonly [field: string]: unknown
}

/** One process with any number of stock clients. */
export class StockClients {
  readonly #program: Program
  #lastId = 0

  private constructor(program: Program) {
    this.#program = program
  }

  static async start(env: Readonly<Record<string, string>> = {}): Promise<StockClients> {
    const { derpclient } = await goTools()
    return new StockClients(await startProgram(derpclient, [], { env }))
  }

  /** Sends a request; resolves to its reply. @throws Error if the reply is not ok. */
  async ask(op: string, client: string, fields: Readonly<Record<string, unknown>> = {}): Promise<StockLine> {
    const reply = await this.tryAsk(op, client, fields)
    if (reply.ok !== true) throw new Error(`ask stock client ${client} to ${op}: ${reply.error}`)
    return reply
  }

  /**
   * Creates a client that receives; resolves to its public key once the relay has admitted it.
   *
   * @param options of the operation `new`: where the relay is, and more.
   */
  async login(client: string, options: Readonly<Record<string, unknown>>): Promise<string> {
    const { publicKey } = await this.ask('new', client, options)
    await this.ask('connect', client)
    await this.ask('recv', client, { action: 'start' })
    await this.event(client, line => line.type === 'serverInfo')
    return publicKey as string
  }

  /** Like {@link ask}, but also returns replies that are not ok. */
  async tryAsk(op: string, client: string, fields: Readonly<Record<string, unknown>> = {}): Promise<StockLine> {
    const id = ++this.#lastId
    this.#program.write(`${JSON.stringify({ id, op, client, ...fields })}\n`)
    return this.#lineWhere(line => line.id === id)
  }

  /** Waits for an event of `client` for which `accept` holds. */
  event(client: string, accept: (line: StockLine) => boolean): Promise<StockLine> {
    return this.#lineWhere(line => line.event !== undefined && line.client === client && accept(line))
  }

  stop(): Promise<void> {
    return this.#program.stop()
  }

  #lineWhere(accept: (line: StockLine) => boolean): Promise<StockLine> {
    return this.#program.lineWhere(text => {
      const line: StockLine = JSON.parse(text)
      return accept(line) ? line : undefined
    })
  }
}
