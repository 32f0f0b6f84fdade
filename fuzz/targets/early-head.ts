/** The reader of DERP clients' requests that takes the place of `node:http`, beside it. */

import { createServer, type IncomingHttpHeaders } from 'node:http'
import { Duplex } from 'node:stream'
import { type EarlyUpgrade, UpgradeHeadReader } from '../../src/listen/upgrade-head.ts'
import { type FuzzTarget, must, mustAgree } from '../engine/target.ts'
import { hexOf } from '../support/input-reader.ts'

const IS_NODE = process.versions['bun'] === undefined
const HEAD = 'GET /derp HTTP/1.1\r\nHost: derp.example\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n'

interface Seen {
  readonly method: string
  readonly url: string
  readonly version: string
  readonly headers: IncomingHttpHeaders | NodeJS.Dict<string[]>
  readonly head: string
}

let onUpgrade: ((seen: Seen) => void) | undefined
const server = createServer({ requireHostHeader: false })
server.on('upgrade', (message, socket, head) => {
  const { method = '', url = '', httpVersion: version, headersDistinct: headers } = message
  onUpgrade?.({ method, url, version, headers, head: hexOf(head) })
  socket.destroy()
})

export const target: FuzzTarget = {
  about:
    'The first bytes of a connection: where the reader takes a request, `node:http` sees the same upgrade, headers and following bytes; read again, it is the same; tokens are not kept.',
  seeds: [
    `${HEAD}\r\n`,
    `${HEAD}Derp-Fast-Start: 1\r\n\r\nabc`,
    `${HEAD}Authorization: Bearer x\r\nUser-Agent: Go-http-client/1.1\r\n\r\n`,
    `${HEAD}Content-Length: 0\r\n\r\n`,
    `${HEAD}Ideal-Node: 1a\r\nX-Forwarded-For: 192.0.2.1, 10.0.0.1\r\n\r\n\0\0`,
    'GET /derp HTTP/1.1\r\nhost: a\r\nUPGRADE: derp\r\nconnection: upgrade\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
  ].map(text => Buffer.from(text)),
  words: [
    'Host: ',
    'Upgrade: ',
    'Connection: ',
    'upgrade',
    'keep-alive, Upgrade',
    'Transfer-Encoding: chunked',
    'Expect: ',
    'Trailer: ',
    '\r\n',
    '\r\n\r\n',
    '\n\n',
    '\t',
    '__proto__: 1',
    'constructor: 1',
  ],
  run: async input => {
    const chunk = Buffer.from(input)
    const reader = new UpgradeHeadReader()
    const early = reader.read(chunk)
    const again = reader.read(Buffer.from(chunk))
    mustAgree('a head read twice', shown(again), shown(early))
    must(reader.size <= 1, 'a head is kept once')
    if (early === undefined) return 'left to others'
    must(reader.size === (early.headers['authorization'] === undefined ? 1 : 0), 'a head with a token is not kept')
    if (IS_NODE) mustAgree('what node:http sees', await byNodeHttp(chunk), shown(early))
    return JSON.stringify(shown(early))
  },
}

function shown(early: EarlyUpgrade | undefined): Seen | undefined {
  if (early === undefined) return undefined
  const headers = { ...early.headers } as NodeJS.Dict<string[]>
  return { method: 'GET', url: '/derp', version: '1.1', headers, head: hexOf(early.head) }
}

/** Undefined if it sees no upgrade. */
async function byNodeHttp(chunk: Buffer): Promise<Seen | undefined> {
  const { promise, resolve } = Promise.withResolvers<Seen | undefined>()
  onUpgrade = resolve
  const socket = new Duplex({ read: () => {}, write: (_chunk, _encoding, done) => done() })
  socket.on('close', () => resolve(undefined)).on('error', () => {})
  server.emit('connection', socket)
  socket.push(chunk)
  socket.push(null)
  return promise
}
