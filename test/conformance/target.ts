/** The relay of a conformance run, over any transport. */

import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Socket, connect as tcpConnect } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { Conn } from '../../src/transport/conn.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { type LoginOptions, RawClient } from '../support/raw-client.ts'
import { dialWebSocket } from './websocket-dial.ts'

/** Options of a run. */
export interface TargetOptions {
  /** Its DERP endpoint, `http://…/derp` or `https://…/derp`. */
  readonly url: string
  /** Transport of DERP connections. */
  readonly carriage: 'raw' | 'websocket'
  /** Which expectation applies for differences listed in docs/understand/differences.md. */
  readonly like: 'original' | 'ours'
  /** Its mesh key; cases that need it are skipped without one. */
  readonly meshKey?: string | undefined
  /** PEM of the CA of its certificate. */
  readonly ca?: string | undefined
  /** UDP port of its STUN server; cases that need it are skipped without one. */
  readonly stunPort?: number | undefined
  /** Whether `/debug/` is accessible, as from loopback. */
  readonly debug?: boolean | undefined
}

/** Response to a plain HTTP request. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Variable parts of an upgrade request. */
export interface UpgradeOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
  readonly version?: '1.0' | '1.1'
  /** Bytes sent right after the request. */
  readonly behind?: Uint8Array
}

export class Target {
  readonly options: TargetOptions
  readonly url: URL
  readonly #opened: RawClient[] = []

  constructor(options: TargetOptions) {
    this.options = options
    this.url = new URL(options.url)
  }

  get isOriginal(): boolean {
    return this.options.like === 'original'
  }

  get isTls(): boolean {
    return this.url.protocol === 'https:'
  }

  /** The mesh key. @throws Error without one: the case should say that it needs it. */
  get meshKey(): string {
    if (this.options.meshKey === undefined) throw new Error('use mesh key: the run has none')
    return this.options.meshKey
  }

  /** A socket to the relay, over TLS if its URL says so. */
  async socket(): Promise<Socket> {
    const port = Number(this.url.port || (this.isTls ? 443 : 80))
    const host = this.url.hostname.replace(/^\[|\]$/g, '')
    const socket = this.isTls
      ? tlsConnect({ host, port, servername: host, ...(this.options.ca !== undefined && { ca: this.options.ca }) })
      : tcpConnect(port, host)
    socket.setNoDelay(true)
    await untilEvent(socket, this.isTls ? 'secureConnect' : 'connect')
    return socket
  }

  /** Aborts a connection of {@link socket}: with a TCP reset, or over TLS, where Node has none, without close_notify. */
  reset(socket: Socket): void {
    if (this.isTls) socket.destroy()
    else socket.resetAndDestroy()
  }

  /** Sends an upgrade request; resolves to the response head and the connection. */
  async upgrade(options: UpgradeOptions = {}): Promise<{ head: string; conn: NodeConn }> {
    const socket = await this.socket()
    socket.write(this.upgradeRequest(options))
    if (options.behind !== undefined) socket.write(options.behind)
    const { head, rest } = await readHead(socket)
    return { head, conn: new NodeConn(socket, rest) }
  }

  /** The bytes of an upgrade request. */
  upgradeRequest({ headers, method = 'GET', version = '1.1' }: UpgradeOptions): string {
    const all = headers ?? { Upgrade: 'DERP', Connection: 'Upgrade' }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    return `${method} ${this.url.pathname} HTTP/${version}\r\nHost: ${this.url.host}\r\n${lines.join('')}\r\n`
  }

  /** A connection that speaks DERP, over the run's transport. */
  async open(headers: Readonly<Record<string, string>> = {}): Promise<Conn> {
    if (this.options.carriage === 'websocket') return dialWebSocket(this.url, { ca: this.options.ca, headers })
    const { head, conn } = await this.upgrade({ headers: { Upgrade: 'DERP', Connection: 'Upgrade', ...headers } })
    if (!head.startsWith('HTTP/1.1 101 ')) throw new Error(`upgrade: refused with ${head.split('\r\n')[0]}`)
    return conn
  }

  /** A client that has not logged in. */
  async connect(headers: Readonly<Record<string, string>> = {}): Promise<RawClient> {
    const client = new RawClient(await this.open(headers))
    this.#opened.push(client)
    return client
  }

  /** A logged-in client, to which the relay routes packets. */
  async login(
    options: LoginOptions & { readonly headers?: Readonly<Record<string, string>> } = {},
  ): Promise<RawClient> {
    const client = await this.connect(options.headers)
    await client.login(options)
    return client
  }

  /** A client that has logged in with the mesh key. */
  mesh(options: LoginOptions = {}): Promise<RawClient> {
    return this.login({ ...options, info: { ...options.info, meshKey: this.meshKey } })
  }

  /** Requests a path. */
  http(path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<HttpAnswer> {
    const request = this.isTls ? httpsRequest : httpRequest
    return new Promise((resolve, reject) => {
      const sent = request(
        this.url,
        {
          // Not through URL, which would normalize it.
          path,
          ...options,
          agent: false,
          timeout: PATIENCE_MS,
          ...(this.options.ca !== undefined && { ca: this.options.ca }),
        },
        response => {
          let body = ''
          response.setEncoding('utf8')
          response.on('data', (text: string) => {
            body += text
          })
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }))
        },
      )
      sent.on('timeout', () => sent.destroy(new Error(`ask for ${path}: no answer within ${PATIENCE_MS} ms`)))
      sent.on('error', reject)
      sent.end()
    })
  }

  /** The relay's metrics, as `/debug/vars` shows them. */
  async vars(): Promise<Record<string, unknown>> {
    const { status, body } = await this.http('/debug/vars')
    if (status !== 200) throw new Error(`ask for metrics: status ${status}`)
    return JSON.parse(body)
  }

  /** Closes the connections that a case has opened. */
  closeAll(): void {
    for (const client of this.#opened.splice(0)) client.close()
  }
}

/** Reads up to the empty line that ends an HTTP response head. */
export async function readHead(socket: Socket): Promise<{ head: string; rest: Uint8Array }> {
  let read = Buffer.alloc(0)
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => finish(new Error(`read answer: none within ${PATIENCE_MS} ms`)), PATIENCE_MS)
    const onData = (chunk: Buffer) => {
      read = Buffer.concat([read, chunk])
      const end = read.indexOf('\r\n\r\n')
      if (end === -1) return
      socket.pause()
      finish(undefined, { head: read.subarray(0, end).toString('latin1'), rest: read.subarray(end + 4) })
    }
    const onEnd = () => finish(new Error('read answer: the connection has ended'))
    const finish = (error?: Error, answer?: { head: string; rest: Uint8Array }) => {
      clearTimeout(timer)
      socket.off('data', onData).off('close', onEnd).off('error', finish)
      if (answer !== undefined) resolve(answer)
      else reject(error)
    }
    socket.on('data', onData).on('close', onEnd).on('error', finish)
  })
}

function untilEvent(socket: Socket, event: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`wait for ${event}: not within ${PATIENCE_MS} ms`)), PATIENCE_MS)
    socket.once('error', reject)
    socket.once(event, () => {
      clearTimeout(timer)
      socket.off('error', reject)
      resolve()
    })
  })
}
