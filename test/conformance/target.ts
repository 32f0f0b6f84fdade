/** The relay that a conformance run talks to, however it is carried. */

import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type Socket, connect as tcpConnect } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { Conn } from '../../src/transport/conn.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { PATIENCE_MS } from '../support/patience.ts'
import { type LoginOptions, RawClient } from '../support/raw-client.ts'
import { dialWebSocket } from './websocket-dial.ts'

/** What is known of a relay before a run. */
export interface TargetOptions {
  /** Its DERP endpoint, `http://…/derp` or `https://…/derp`. */
  readonly url: string
  /** How DERP connections are carried. */
  readonly carriage: 'raw' | 'websocket'
  /** Whose expectations hold where docs/differences.md lists a difference. */
  readonly like: 'original' | 'ours'
  /** Its mesh key; cases that need privileges are left out without one. */
  readonly meshKey?: string | undefined
  /** PEM of the authority that signed its certificate. */
  readonly ca?: string | undefined
  /** UDP port of its STUN server; cases that need it are left out without one. */
  readonly stunPort?: number | undefined
  /** Whether `/debug/` may be asked; it may from loopback. */
  readonly debug?: boolean | undefined
}

/** An answer to a plain HTTP request. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** An upgrade request, as far as cases vary it. */
export interface UpgradeOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly method?: string
  readonly version?: '1.0' | '1.1'
  /** Bytes sent right behind the request. */
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

  /** Ends a connection of {@link socket} at once: by a TCP reset, or over TLS, where Node has none, without a goodbye. */
  reset(socket: Socket): void {
    if (this.isTls) socket.destroy()
    else socket.resetAndDestroy()
  }

  /** Sends an upgrade request; resolves to the head of the answer and the connection behind it. */
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

  /** A connection that speaks DERP, by the run's carriage. */
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

  /** A client that has logged in, and that the relay therefore routes to. */
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

  /** Asks for a path. */
  http(path: string, options: { method?: string; headers?: Record<string, string> } = {}): Promise<HttpAnswer> {
    const request = this.isTls ? httpsRequest : httpRequest
    return new Promise((resolve, reject) => {
      const sent = request(
        this.url,
        {
          // Not by way of URL, which would tidy it.
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

  /** Ends the connections that a case has opened. */
  closeAll(): void {
    for (const client of this.#opened.splice(0)) client.close()
  }
}

/** Reads up to the empty line that ends the head of an HTTP answer. */
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
