/** What an admission URL and the local daemon answer. */

import { mkdtempSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AdmitUrl } from '../../src/admission/admit-url.ts'
import { LocalDaemon } from '../../src/admission/local-daemon.ts'
import { type Policy, SourceDownError } from '../../src/admission/policy.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { admissionPorts, requestOf } from '../../test/support/admission.ts'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { until } from '../../test/support/settle.ts'
import { type FuzzTarget, must } from '../engine/target.ts'
import { InputReader } from '../support/input-reader.ts'
import { onlyLoopback } from '../support/only-loopback.ts'

const CLIENT = NodePrivateKey.fromBytes(new Uint8Array(32).fill(33)).publicKey()
/** More requests for one question than redirects and lists need. */
const MAX_REQUESTS = 16
const MAX_REASON = 500

/** Answers of the current run, one per connection; the last one repeats. */
let answers: readonly Uint8Array[] = []
let asked = 0

interface Places {
  readonly url: string
  readonly socketPath: string
}

let places: Promise<Places> | undefined

function placesOfServers(): Promise<Places> {
  places ??= listen()
  return places
}

async function listen(): Promise<Places> {
  const [tcp, local] = [createServer(answer), createServer(answer)]
  const socketPath = join(mkdtempSync(join(tmpdir(), 'fuzz-admission-')), 'sock')
  await Promise.all([listening(tcp, { port: 0, host: '127.0.0.1' }), listening(local, { path: socketPath })])
  const address = tcp.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return { url: `http://127.0.0.1:${port}/verify`, socketPath }
}

function listening(server: Server, options: object): Promise<void> {
  server.unref()
  return new Promise(resolve => server.listen(options, resolve))
}

function answer(socket: Socket): void {
  socket.on('error', () => {})
  socket.once('data', () => socket.end(answers[Math.min(asked++, answers.length - 1)] ?? ''))
}

const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`

export const target: FuzzTarget = {
  about:
    'Any bytes as the answers of an admission URL or of the local daemon: approval, denial or `SourceDownError`, nothing else; approval only after a 200 that says so; reasons are one line of bounded length; requests are bounded; no timer is left.',
  seeds: [
    [0, ok('{"Allow":true}')],
    [0, ok('{"Allow":false}')],
    [0, 'HTTP/1.1 503 Sorry\r\n\r\n'],
    [0, 'HTTP/1.1 307 X\r\nLocation: /other\r\n\r\n', ok('{"allow":true,"x":[1]}')],
    [0, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'],
    [1, ok('{"Node":{}}')],
    [1, 'HTTP/1.1 404 X\r\n\r\n', ok(`{"BackendState":"Running","Self":{"PublicKey":"${CLIENT}"}}`)],
    [1, "HTTP/1.1 400 X\r\n\r\ninvalid 'addr' parameter", ok(`{"BackendState":"Running","Peer":{"${CLIENT}":{}}}`)],
    [1, 'HTTP/1.1 404 X\r\n\r\n', ok('{"BackendState":"NeedsLogin"}')],
  ].map(([which, ...texts]) => record(Number(which), texts.map(String))),
  words: [
    'HTTP/1.1 200 OK\r\n',
    '\r\n\r\n',
    'Content-Length: ',
    'Location: ',
    'http://127.0.0.1:1/',
    '{"Allow":true}',
    '"Peer":{',
    `${CLIENT}`,
    'Transfer-Encoding: chunked\r\n',
    '100 Continue',
  ],
  maxBytes: 2_048,
  // Bun has its own HTTP client.
  isOfRuntime: true,
  run: input =>
    onlyLoopback(async () => {
      const { url, socketPath } = await placesOfServers()
      const reader = new InputReader(input)
      const isUrl = reader.below(2) === 0
      const read: Uint8Array[] = []
      while (reader.left > 0) read.push(reader.take(2 * reader.byte()))
      answers = read.length === 0 ? [new Uint8Array(0)] : read
      asked = 0
      const ports = { ...admissionPorts(), clock: new FakeClock() }
      const policy = isUrl ? new AdmitUrl(url, ports) : new LocalDaemon(socketPath, ports)
      const outcome = await verdictOf(policy)
      if (policy instanceof AdmitUrl) policy.close()
      must(asked <= MAX_REQUESTS, 'requests are bounded')
      await until(() => ports.clock.pendingTimers === 0, 'no timer is left')
      const text = answers.map(bytes => Buffer.from(bytes).toString('latin1')).join('\n')
      if (outcome === 'approval') must(/^HTTP\/1\.[01] 200/m.test(text), 'approval needs a 200')
      if (outcome === 'approval' && isUrl) must(text.includes('true'), 'approval needs to be given')
      return outcome
    }),
}

async function verdictOf(policy: Policy): Promise<string> {
  let reason: string
  let outcome: string
  try {
    const verdict = await policy.admit(requestOf({ clientKey: CLIENT }))
    if (verdict.admit) return 'approval'
    ;[outcome, reason] = [`denial ${verdict.cause}`, verdict.reason]
  } catch (error) {
    if (!(error instanceof SourceDownError)) throw error
    ;[outcome, reason] = ['down', error.message]
  }
  must(reason !== '' && reason.length < MAX_REASON, 'a reason is of bounded length')
  must(!/[\n\r]/.test(reason), 'a reason is one line')
  return outcome
}

/** Lengths are even. */
function record(which: number, texts: readonly string[]): Buffer {
  const parts = texts.map(text => Buffer.from(text.length % 2 === 0 ? text : `${text} `))
  return Buffer.concat([Buffer.of(which), ...parts.flatMap(part => [Buffer.of(part.length / 2), part])])
}
