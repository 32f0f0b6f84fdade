/**
 * One certificate from an authority, by ACME (RFC 8555; RFC 8738 for IP addresses).
 *
 * The library is large and seldom needed, so it is loaded when it is, and here alone. It signs and formats; asking,
 * waiting and giving up are done here, since its own cannot be stopped.
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
import { AcmeError } from './acme-error.ts'
import { type AcmeExchange, acmeExchanges, sendAcme } from './acme-exchange.ts'

/** How an authority makes sure of a name: over plain HTTP on port 80, or over TLS on port 443. */
export type AcmeChallengeType = 'http-01' | 'tls-alpn-01'

/** Who asks whom. */
export interface AcmeAccount {
  readonly directoryUrl: string
  /** PEM. */
  readonly key: string
  readonly email?: string | undefined
  /** Ties the account to one that the authority knows otherwise; the key is base64. */
  readonly binding?: { readonly keyId: string; readonly hmacKey: string } | undefined
  /** PEM of authorities to trust for the directory itself, in place of those of the platform. */
  readonly directoryCa?: string | undefined
  /** Variables that name proxies. */
  readonly proxyEnv?: NodeJS.ProcessEnv | undefined
}

export interface AcmeOrder {
  readonly account: AcmeAccount
  /** DNS names or IP addresses. */
  readonly identifiers: readonly string[]
  readonly profile?: string | undefined
  readonly challengeType: AcmeChallengeType
  /** Where answers are put for as long as they are waited for. */
  readonly challenges: AcmeChallenges
  /** PEM of the key that the certificate is for. */
  readonly key: string
  readonly clock: Clock
  /** Ends it early; the promise rejects with its reason. */
  readonly signal: AbortSignal
}

type Library = typeof acmeClient

type Account = Awaited<ReturnType<Client['createAccount']>>

/** Asks for a certificate; resolves to it and those of its authorities, as PEM. Rejects with an {@link AcmeError}. */
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

/** Makes a key of the kind that every client understands, as PEM in the form that the original writes. */
export function createAcmeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'sec1', format: 'pem' }).toString()
}

/** The name that an authority asks for over TLS to make sure of an identifier (RFC 8738 section 6). */
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

/** The run of requests that one order is. */
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
    // The types know no profiles.
    const wanted = { identifiers: identifiers.map(identifierOf), ...(profile !== undefined && { profile }) }
    const order = await this.#client.createOrder(wanted)
    await this.#prove(order)
    const ready = await this.#whileStatus(['pending'], () => this.#client.getOrder(order))
    const [, request] = await this.#library.crypto.createCsr({ altNames: [...identifiers] }, inPkcs8(key))
    await this.#client.finalizeOrder(ready, request)
    const done = await this.#whileStatus(['ready', 'processing'], () => this.#client.getOrder(order))
    if (done.status !== 'valid') throw new AcmeError(`order ended as ${done.status}${reasonOf(done.error)}`)
    return this.#client.getCertificate(done)
  }

  /** Looks for the account first: a binding may be good for one only, and an empty update is an error to some. */
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

  /** Proves each identifier that the authority is not sure of already. */
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

  /** Puts the answer to a challenge where the authority will look, and tells it to. */
  async #answer(authorization: Authorization, withdrawals: (() => void)[]): Promise<void> {
    const { challengeType, challenges, signal } = this.#order
    const { identifier } = authorization
    // The types know one kind of challenge less.
    const challenge = authorization.challenges.find(({ type }) => type === (challengeType as string))
    if (challenge === undefined) throw new AcmeError(`no ${challengeType} challenge is offered for ${identifier.value}`)
    const answer = await this.#client.getChallengeKeyAuthorization(challenge)
    if (challengeType === 'http-01') {
      challenges.http.set(challenge.token, answer)
      withdrawals.push(() => challenges.http.delete(challenge.token))
    } else {
      const [key, cert] = await this.#library.crypto.createAlpnCertificate(
        authorization,
        answer,
        inPkcs8(createAcmeKey()),
      )
      const serverName = alpnServerName(identifier.value)
      withdrawals.push(() => challenges.hideTls(serverName))
      // The authority may meet any thread.
      await untilAborted(challenges.showTls(serverName, { certificate: cert.toString(), key: key.toString() }), signal)
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

  /** Reads again, more and more seldom, or when the authority says, until what is read is final. */
  async #repeatWhile<T>(isPending: (value: T) => boolean, read: () => Promise<T>): Promise<T> {
    const { clock, signal } = this.#order
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(waitMs * 2, LONGEST_WAIT_MS)) {
      const value = await read()
      if (!isPending(value)) return value
      await pause(clock, Math.min(this.#exchange.retryAfterMs ?? waitMs, LONGEST_WAIT_MS), signal)
    }
  }
}

const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000

/** The one form of key that the library can put into requests and certificates. */
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

/** Rejects with the signal's reason if that comes first. */
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
