/**
 * Orders one certificate by ACME (RFC 8555; RFC 8738 for IP addresses).
 *
 * The library is large and rarely needed, so it is loaded on demand, and only here. It signs and formats; requests,
 * polling and cancellation are done here, because its own cannot be cancelled.
 *
 * Clauses: P-147 challenges, P-148 IP addresses.
 */

import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { Agent } from 'node:https'
import { isIP } from 'node:net'
import type * as acmeClient from 'acme-client'
import type { Authorization, Client, Order } from 'acme-client'
import { addressTo16 } from '../../lib/address-port.ts'
import type { Clock } from '../../lib/clock.ts'
import type { AcmeChallenges } from '../challenges.ts'
import { type CertificatePair, createSelfSigned } from '../x509.ts'
import { AcmeError } from './acme-error.ts'
import { type AcmeExchange, acmeExchanges, sendAcme } from './acme-exchange.ts'

/** How an authority validates a name: over plain HTTP on port 80, or over TLS on port 443. */
export type AcmeChallengeType = 'http-01' | 'tls-alpn-01'

/** Account and authority. */
export interface AcmeAccount {
  readonly directoryUrl: string
  /** PEM. */
  readonly key: string
  readonly email?: string | undefined
  /** External account binding; the key is base64. */
  readonly binding?: { readonly keyId: string; readonly hmacKey: string } | undefined
  /** PEM of CA certificates to trust for the directory itself, instead of the platform's. */
  readonly directoryCa?: string | undefined
  /** Environment variables for proxies. */
  readonly proxyEnv?: NodeJS.ProcessEnv | undefined
}

export interface AcmeOrder {
  readonly account: AcmeAccount
  /** DNS names or IP addresses. */
  readonly identifiers: readonly string[]
  readonly profile?: string | undefined
  readonly challengeType: AcmeChallengeType
  /** Where challenge responses are published while needed. */
  readonly challenges: AcmeChallenges
  /** PEM of the certificate's private key. */
  readonly key: string
  readonly clock: Clock
  /** Cancels the order; the promise rejects with its reason. */
  readonly signal: AbortSignal
}

type Library = typeof acmeClient

type Account = Awaited<ReturnType<Client['createAccount']>>

/** Orders a certificate; resolves to its chain as PEM. Rejects with an {@link AcmeError}. */
export async function orderCertificate(order: AcmeOrder): Promise<string> {
  const { clock, signal } = order
  const { directoryCa: ca, proxyEnv } = order.account
  const trust = ca === undefined ? {} : { ca }
  const agent = new Agent({ keepAlive: true, ...trust, ...(proxyEnv !== undefined && { proxyEnv }) })
  const exchange: AcmeExchange = { agent, clock, signal }
  try {
    return await acmeExchanges.run(exchange, async () => new Ordering(await loadLibrary(), order, exchange).run())
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof AcmeError) throw error
    const reason = error instanceof Error && error.message !== '' ? error.message : 'unknown failure'
    throw new AcmeError(reason, { retryAfterMs: exchange.retryAfterMs, cause: error })
  } finally {
    agent.destroy()
  }
}

/** Creates a key of the type that every client supports, as PEM in the original's form. */
export function createAcmeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString()
}

/** The server name under which an authority validates an identifier over TLS (RFC 8738 section 6). */
export function alpnServerName(identifier: string): string {
  const bytes = addressTo16(identifier)
  switch (isIP(identifier)) {
    case 4:
      return `${[...bytes.subarray(12)].reverse().join('.')}.in-addr.arpa`
    case 6:
      return `${Buffer.from(bytes).toString('hex').split('').reverse().join('.')}.ip6.arpa`
    default:
      return identifier
  }
}

/** The requests of one order. */
class Ordering {
  readonly #library: Library
  readonly #client: Client
  readonly #order: AcmeOrder
  readonly #exchange: AcmeExchange

  constructor(library: Library, order: AcmeOrder, exchange: AcmeExchange) {
    const { directoryUrl, key, binding } = order.account
    this.#library = library
    this.#order = order
    this.#exchange = exchange
    this.#client = new library.Client({
      directoryUrl,
      accountKey: key,
      ...(binding && { externalAccountBinding: { kid: binding.keyId, hmacKey: binding.hmacKey } }),
    })
  }

  async run(): Promise<string> {
    const { identifiers, profile, key } = this.#order
    await this.#register()
    // The library's types lack profiles.
    const wanted = { identifiers: identifiers.map(identifierOf), ...(profile !== undefined && { profile }) }
    const order = await this.#client.createOrder(wanted)
    await this.#prove(order)
    const ready = await this.#whileStatus(['pending'], () => this.#client.getOrder(order))
    const [, request] = await this.#library.crypto.createCsr({ altNames: [...identifiers] }, inPkcs8(key))
    await this.#client.finalizeOrder(ready, request)
    const done = await this.#whileStatus(['ready', 'processing'], () => this.#client.getOrder(order))
    if (done.status !== 'valid') throw new AcmeError(`order ended as ${done.status}${reasonOf(done.error)}`)
    // The library reads JSON whatever was asked for.
    const certificate: unknown = await this.#client.getCertificate(done)
    if (typeof certificate !== 'string') throw new AcmeError('the authority has sent something else than a certificate')
    return certificate
  }

  /** Looks for the account first: a binding may be single-use, and some authorities reject an empty update. */
  async #register(): Promise<void> {
    const { email } = this.#order.account
    const contact = email === undefined ? {} : { contact: [`mailto:${email}`] }
    const account = await this.#registered()
    if (account === undefined) await this.#client.createAccount({ termsOfServiceAgreed: true, ...contact })
    else if (email !== undefined && account.contact?.join() !== contact.contact?.join()) {
      await this.#client.updateAccount(contact)
    }
  }

  async #registered(): Promise<Account | undefined> {
    try {
      return await this.#client.createAccount({ onlyReturnExisting: true })
    } catch (error) {
      if (this.#exchange.problem === 'urn:ietf:params:acme:error:accountDoesNotExist') return undefined
      throw error
    }
  }

  /** Validates each identifier that is not valid yet. */
  async #prove(order: Order): Promise<void> {
    const pending = (await this.#client.getAuthorizations(order)).filter(({ status }) => status === 'pending')
    const withdrawals: (() => void)[] = []
    try {
      for (const authorization of pending) await this.#answer(authorization, withdrawals)
      const isPending = (all: Authorization[]) => all.some(({ status }) => status === 'pending')
      const decided = await this.#repeatWhile(isPending, () => this.#client.getAuthorizations(order))
      const refused = decided.filter(({ status }) => status !== 'valid')
      if (refused.length > 0) throw this.#refusal(refused)
    } finally {
      for (const withdraw of withdrawals) withdraw()
    }
  }

  /** Publishes the response to a challenge and tells the authority. */
  async #answer(authorization: Authorization, withdrawals: (() => void)[]): Promise<void> {
    const { challengeType, challenges, signal } = this.#order
    const { identifier } = authorization
    // The library's types lack this challenge type.
    const challenge = authorization.challenges.find(({ type }) => type === (challengeType as string))
    if (challenge === undefined) throw new AcmeError(`no ${challengeType} challenge is offered for ${identifier.value}`)
    const answer = await this.#client.getChallengeKeyAuthorization(challenge)
    if (challengeType === 'http-01') {
      challenges.http.set(challenge.token, answer)
      withdrawals.push(() => challenges.http.delete(challenge.token))
    } else {
      const pair = await createResponse(identifier.value, answer, this.#order.clock.wallNow())
      const serverName = alpnServerName(identifier.value)
      withdrawals.push(() => challenges.hideTls(serverName))
      // The authority may reach any thread.
      await untilAborted(challenges.showTls(serverName, pair), signal)
    }
    await this.#client.completeChallenge(challenge)
  }

  #refusal(refused: readonly Authorization[]): AcmeError {
    const reasons = refused.map(({ identifier, status, challenges }) => {
      const failed = challenges.find(({ error }) => error !== undefined)
      return `${identifier.value} by ${failed?.type ?? this.#order.challengeType}: ${status}${reasonOf(failed?.error)}`
    })
    return new AcmeError(`authority could not make sure of ${reasons.join('; ')}`, {
      rejected: refused.map(({ identifier }) => identifier.value),
      retryAfterMs: this.#exchange.retryAfterMs,
    })
  }

  #whileStatus(statuses: readonly string[], read: () => Promise<Order>): Promise<Order> {
    return this.#repeatWhile(({ status }) => statuses.includes(status), read)
  }

  /** Polls with growing intervals, or as the authority says, until the result is final. */
  async #repeatWhile<T>(isPending: (value: T) => boolean, read: () => Promise<T>): Promise<T> {
    const { clock, signal } = this.#order
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
      const value = await read()
      if (!isPending(value)) return value
      await pause(clock, Math.min(this.#exchange.retryAfterMs ?? waitMs, MAX_WAIT_MS), signal)
    }
  }
}

const FIRST_WAIT_MS = 500
const MAX_WAIT_MS = 15_000

/** Milliseconds that a response over TLS is valid before and after now: clocks of authorities may differ. */
const RESPONSE_VALIDITY_MS = 24 * 3_600_000

/** The certificate that proves a name over TLS. */
function createResponse(identifier: string, keyAuthorization: string, nowMs: number): Promise<CertificatePair> {
  return createSelfSigned({
    commonName: identifier,
    keyType: 'P-256',
    serialHex: '01',
    notBefore: new Date(nowMs - RESPONSE_VALIDITY_MS),
    notAfter: new Date(nowMs + RESPONSE_VALIDITY_MS),
    acmeResponse: { type: isIP(identifier) === 0 ? 'dns' : 'ip', identifier, keyAuthorization },
  })
}

/** The only key format that the library supports. */
function inPkcs8(pem: string): string {
  return createPrivateKey(pem).export({ type: 'pkcs8', format: 'pem' }).toString()
}

function identifierOf(value: string): { type: string; value: string } {
  return { type: isIP(value) === 0 ? 'dns' : 'ip', value }
}

function reasonOf(problem: unknown): string {
  const detail = typeof problem === 'object' && problem !== null && 'detail' in problem ? problem.detail : undefined
  return typeof detail === 'string' ? `: ${detail}` : ''
}

function pause(clock: Clock, waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const abort = () => {
      timer.cancel()
      reject(signal.reason)
    }
    const timer = clock.after(waitMs, () => {
      signal.removeEventListener('abort', abort)
      resolve()
    })
    signal.addEventListener('abort', abort, { once: true })
  })
}

/** Rejects with the signal's reason if it is aborted first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

let library: Promise<Library> | undefined

function loadLibrary(): Promise<Library> {
  library ??= import('acme-client').then(loaded => {
    loaded.axios.defaults.adapter = sendAcme as unknown as NonNullable<typeof loaded.axios.defaults.adapter>
    return loaded
  })
  return library
}
