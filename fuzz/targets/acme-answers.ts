/** What an ACME authority answers in the course of an order. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { silentLog } from '../../src/lib/log.ts'
import { createAcmeKey } from '../../src/tls/acme/acme.ts'
import { obtainCertificate } from '../../src/tls/acme/acme-attempt.ts'
import { AcmeError } from '../../src/tls/acme/acme-error.ts'
import { AcmeChallenges } from '../../src/tls/challenges.ts'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { settle } from '../../test/support/settle.ts'
import { type FuzzTarget, must } from '../engine/target.ts'
import { InputReader } from '../support/input-reader.ts'
import { onlyLoopback } from '../support/only-loopback.ts'

const NAME = 'relay.test'
const ACCOUNT_KEY = createAcmeKey()
/** Requests after which the order is cancelled, as by its deadline. */
const MAX_REQUESTS = 40
const MAX_REASON = 500
const POLL_MS = 15_000
const [OK, CREATED] = [200, 201]
const STATUSES = [200, 201, 204, 400, 403, 429, 500, 503]
const WAITS = ['', '0', '5', 'soon', '99999999999999999999', 'Mon, 30 Nov 2026 00:00:00 GMT']

let answer: (request: IncomingMessage, response: ServerResponse) => void = () => {}
let origin: Promise<string> | undefined

function originOfServer(): Promise<string> {
  origin ??= listen()
  return origin
}

async function listen(): Promise<string> {
  const server = createServer((request, response) => answer(request.resume(), response)).unref()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export const target: FuzzTarget = {
  about:
    'An authority that follows the protocol for some requests, and answers others with any status, body and Retry-After: the order ends in an `AcmeError` of one line, or in a certificate that covers the name; challenges are withdrawn; no timer is left.',
  seeds: [
    [],
    [[0, 0, '']],
    ['', '', '', [0, 0, '{"status":"pending","authorizations":["/authz"],"finalize":"/finalize"}']],
    [
      '',
      '',
      '',
      '',
      [
        0,
        0,
        '{"status":"pending","identifier":{"type":"dns","value":"relay.test"},"challenges":[{"type":"http-01","url":"/chall","token":"t"}]}',
      ],
    ],
    ['', '', '', '', '', [3, 2, '{"type":"urn:ietf:params:acme:error:rateLimited","detail":"no"}']],
    ['', '', '', '', '', '', '', '', [0, 0, '{"status":"invalid","error":{"detail":"x"}}']],
    ['', '', '', '', '', '', '', '', '', '', [0, 0, '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n']],
  ].map(steps => Buffer.concat(steps.map(step => (Array.isArray(step) ? recordOf(step) : Buffer.of(0))))),
  words: [
    '"status":"',
    'pending',
    'ready',
    'processing',
    'valid',
    'invalid',
    '"challenges":[',
    '"authorizations":[',
    '"identifier":',
    '"token":"',
    '"certificate":"',
    'urn:ietf:params:acme:error:accountDoesNotExist',
    '-----BEGIN CERTIFICATE-----',
  ],
  maxBytes: 2_048,
  // Bun has its own HTTP client.
  isOfRuntime: true,
  run: input =>
    onlyLoopback(async () => {
      const base = await originOfServer()
      const script = new InputReader(input)
      const stop = new AbortController()
      const clock = new FakeClock()
      const challenges = new AcmeChallenges()
      let requests = 0
      answer = (request, response) => {
        if (++requests > MAX_REQUESTS) stop.abort(new AcmeError('too many requests'))
        reply(base, script, request, response)
      }
      const order = obtainCertificate({
        identifiers: [NAME],
        required: [NAME],
        account: { directoryUrl: `${base}/dir` },
        accountKey: ACCOUNT_KEY,
        challengeType: 'http-01',
        challenges,
        signal: stop.signal,
        clock,
        log: silentLog,
      })
      const outcome = await ended(order, clock)
      must(challenges.http.size === 0, 'challenges are withdrawn')
      must(clock.pendingTimers === 0, 'no timer is left')
      return outcome
    }),
}

/** Lets time pass until the order has ended. */
async function ended(order: Promise<unknown>, clock: FakeClock): Promise<string> {
  let isOver = false
  const outcome = order
    .then(
      () => 'obtained',
      (error: unknown) => {
        must(error instanceof AcmeError, `an order fails with an AcmeError, not ${String(error)}`)
        must(error.message !== '' && error.message.length <= MAX_REASON, 'an error says why, not at length')
        must(!/[\n\r]/.test(error.message), 'an error is one line')
        return 'failed'
      },
    )
    .finally(() => {
      isOver = true
    })
  outcome.catch(() => {})
  while (!isOver) {
    await settle(1)
    clock.advance(POLL_MS)
  }
  return outcome
}

/** The next step of the script: nothing out of the ordinary, or an answer of its own. */
function reply(base: string, script: InputReader, request: IncomingMessage, response: ServerResponse): void {
  const isOwn = script.byte() % 2 === 1
  const status = isOwn ? script.oneOf(STATUSES) : request.url === '/order' ? CREATED : OK
  const wait = isOwn ? script.oneOf(WAITS) : ''
  const body = isOwn ? Buffer.from(script.take(script.byte())) : Buffer.from(usual(request.url ?? ''))
  // Paths in answers are those of this server.
  const text = body.toString('latin1').replaceAll('"/', `"${base}/`)
  const headers = { 'replay-nonce': 'n', location: `${base}/known`, ...(wait !== '' && { 'retry-after': wait }) }
  response.writeHead(status, headers).end(request.method === 'HEAD' ? undefined : Buffer.from(text, 'latin1'))
}

function usual(path: string): string {
  const identifier = { type: 'dns', value: NAME }
  const order = { authorizations: ['/authz'], finalize: '/finalize', identifiers: [identifier], certificate: '/cert' }
  switch (path) {
    case '/dir':
      return JSON.stringify({
        newNonce: '/nonce',
        newAccount: '/account',
        newOrder: '/order',
        revokeCert: '/revoke',
        keyChange: '/change',
      })
    case '/order':
      return JSON.stringify({ status: 'pending', ...order })
    case '/known':
      return JSON.stringify({ status: 'valid', ...order })
    case '/authz':
      return JSON.stringify({
        status: 'valid',
        identifier,
        challenges: [{ type: 'http-01', url: '/chall', token: 't', status: 'valid' }],
      })
    case '/finalize':
      return JSON.stringify({ status: 'valid', ...order })
    default:
      return JSON.stringify({ status: 'valid' })
  }
}

function recordOf([status, wait, body]: readonly (string | number)[]): Buffer {
  const bytes = Buffer.from(String(body))
  return Buffer.concat([Buffer.of(1, Number(status), Number(wait), bytes.length), bytes])
}
