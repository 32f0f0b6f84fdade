/** TLS: names, versions, the meta certificate. */

import type { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import { text } from 'node:stream/consumers'
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls'
import type { ConformanceCase } from '../case.ts'
import { equal, ok } from '../check.ts'
import type { Target } from '../target.ts'

const NEEDS = ['tls', 'raw'] as const

async function handshake(target: Target, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const { hostname, port } = target.url
  const { ca } = target.options
  const socket = connect({
    host: '127.0.0.1',
    port: Number(port),
    servername: hostname,
    ...(ca !== undefined && { ca }),
    ...options,
  })
  await once(socket, 'secureConnect')
  return socket
}

/** The handshake ends with an alert. */
const refusesHandshake = (id: string, clauses: readonly string[], options: ConnectionOptions): ConformanceCase => ({
  id: `tls/refuses/${id}`,
  clauses,
  needs: NEEDS,
  async run(target) {
    const outcome = await handshake(target, options).then(
      socket => {
        socket.destroy()
        return 'a handshake'
      },
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    )
    ok(/ALERT|ERR_SSL|ECONNRESET/.test(outcome), `the outcome is ${outcome}`)
  },
})

/** All certificates that a server presents. */
function chainOf(socket: TLSSocket): X509Certificate[] {
  const chain: X509Certificate[] = []
  for (let at = socket.getPeerX509Certificate(); at !== undefined && !chain.includes(at); at = at.issuerCertificate) {
    chain.push(at)
  }
  return chain
}

export const tlsCases: readonly ConformanceCase[] = [
  {
    id: 'tls/plain-http-is-told-of-https',
    clauses: ['P-142'],
    needs: NEEDS,
    async run(target) {
      const socket = connectTcp(Number(target.url.port), '127.0.0.1')
      socket.write('GET / HTTP/1.1\r\nHost: relay\r\n\r\n')
      ok(/^HTTP\/1\.[01] 400 Bad Request\r\n.*HTTPS/s.test(await text(socket)), 'status 400 and a sentence')
    },
  },
  {
    id: 'tls/1.3-and-http-1.1-are-chosen',
    clauses: ['P-142'],
    needs: NEEDS,
    async run(target) {
      const socket = await handshake(target, { ALPNProtocols: ['http/1.1'] })
      equal(socket.getProtocol(), 'TLSv1.3')
      equal(socket.alpnProtocol, 'http/1.1')
      socket.destroy()
    },
  },
  {
    id: 'tls/http-1.1-before-h2',
    clauses: ['P-142'],
    needs: NEEDS,
    async run(target) {
      const socket = await handshake(target, { ALPNProtocols: ['h2', 'http/1.1'] })
      equal(socket.alpnProtocol, 'http/1.1')
      socket.destroy()
    },
  },
  {
    id: 'tls/1.2-is-spoken',
    clauses: ['P-142'],
    needs: NEEDS,
    async run(target) {
      const socket = await handshake(target, { maxVersion: 'TLSv1.2' })
      equal(socket.getProtocol(), 'TLSv1.2')
      socket.destroy()
    },
  },
  {
    id: 'tls/meta-certificate-names-the-relay-key',
    clauses: ['P-140'],
    needs: NEEDS,
    async run(target) {
      const socket = await handshake(target)
      const chain = chainOf(socket)
      const meta = chain.find(({ subject }) => subject.startsWith('CN=derpkey'))
      ok(meta !== undefined, `no meta certificate in a chain of ${chain.length}`)
      const client = await target.connect()
      equal(meta?.subject, `CN=derpkey${(await client.greeting()).toHex()}`)
      equal(Number(`0x${meta?.serialNumber}`), 2)
      ok(new Date(meta?.validFrom ?? '') < new Date(), 'it is valid already')
      ok(new Date(meta?.validTo ?? '') > new Date(), 'it is valid still')
      socket.destroy()
    },
  },
  refusesHandshake('another-name', ['P-141'], { servername: 'another.example', rejectUnauthorized: false }),
  refusesHandshake('no-name', ['P-141'], { servername: '', rejectUnauthorized: false }),
  refusesHandshake('tls-1.1', ['P-142'], { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }),
]
