/** A TCP proxy on loopback that injects connection faults. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** Faults of an open connection. */
export type Fault =
  /** Both ends are closed orderly. */
  | 'cut'
  /** Both ends are reset. */
  | 'reset'
  /** Data is held back for a while, then delivered. */
  | 'stall'
  /** Data is silently discarded; after a while both ends are reset. */
  | 'halfOpen'
  /** Data is delayed. */
  | 'delay'

export const FAULTS: readonly Fault[] = ['cut', 'reset', 'stall', 'halfOpen', 'delay']

/** How the proxy treats new connections. */
export type Gate = 'open' | 'refusing' | 'silent'

interface Pair {
  readonly client: Socket
  readonly server: Socket
  isMute: boolean
  delayMs: number
}

export class FaultProxy implements AsyncDisposable {
  /** For new connections. */
  gate: Gate = 'open'
  /** Connections accepted so far. */
  accepted = 0
  readonly #server: Server
  readonly #targetPort: number
  readonly #sockets = new Set<Socket>()
  readonly #pairs = new Set<Pair>()

  private constructor(targetPort: number) {
    this.#targetPort = targetPort
    this.#server = createServer({ allowHalfOpen: true }, client => this.#onClient(client))
  }

  /** Starts a proxy for a loopback port. */
  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort)
    await new Promise<void>(resolve => proxy.#server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** Open connections. */
  get size(): number {
    return this.#pairs.size
  }

  /** Injects a fault into one connection selected by `random` in [0, 1), if there is any. */
  spoil(fault: Fault, random: number, lastsMs = 1_000): void {
    const pair = [...this.#pairs][Math.floor(random * this.#pairs.size)]
    if (pair === undefined) return
    if (fault === 'cut') {
      pair.client.end()
      pair.server.end()
    } else if (fault === 'reset') {
      pair.client.resetAndDestroy()
      pair.server.resetAndDestroy()
    } else if (fault === 'delay') pair.delayMs = lastsMs
    else if (fault === 'stall') this.#stall(pair, lastsMs)
    else this.#mute(pair, lastsMs)
  }

  /** Injects a fault into all connections. */
  spoilAll(fault: Fault, lastsMs?: number): void {
    const { size } = this.#pairs
    for (let at = size - 1; at >= 0; at--) this.spoil(fault, at / size, lastsMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise(resolve => this.#server.close(resolve))
  }

  #stall({ client, server }: Pair, lastsMs: number): void {
    for (const socket of [client, server]) {
      socket.pause()
      setTimeout(() => socket.resume(), lastsMs).unref()
    }
  }

  #mute(pair: Pair, lastsMs: number): void {
    pair.isMute = true
    const end = () => {
      pair.client.resetAndDestroy()
      pair.server.resetAndDestroy()
    }
    setTimeout(end, lastsMs).unref()
  }

  #onClient(client: Socket): void {
    this.accepted++
    this.#keep(client)
    if (this.gate === 'refusing') {
      client.resetAndDestroy()
      return
    }
    if (this.gate === 'silent') {
      client.resume()
      return
    }
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', allowHalfOpen: true })
    this.#keep(server)
    const pair: Pair = { client, server, isMute: false, delayMs: 0 }
    this.#pairs.add(pair)
    this.#pump(pair, client, server)
    this.#pump(pair, server, client)
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => this.#sockets.delete(socket))
  }

  #pump(pair: Pair, from: Socket, to: Socket): void {
    from.on('data', chunk => {
      if (pair.isMute) return
      // A delay keeps the order.
      if (pair.delayMs > 0) setTimeout(() => to.destroyed || to.write(chunk), pair.delayMs).unref()
      else if (!to.write(chunk)) {
        from.pause()
        to.once('drain', () => from.resume())
      }
    })
    from.on('end', () => pair.isMute || to.end())
    from.on('close', () => {
      this.#pairs.delete(pair)
      // The other end of a half-open connection is reset later.
      if (!pair.isMute) to.destroy()
    })
  }
}
