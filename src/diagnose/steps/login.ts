/** Whether the relay says who it is, and lets this client in. */

import { DerpClient } from '../../client/derp-client.ts'
import type { DerpErrorCode } from '../../lib/derp-error.ts'
import { isDerpError } from '../../lib/derp-error.ts'
import type { CauseId } from '../cause.ts'
import { type Examination, type Step, TimeIsUpError } from '../step.ts'
import { blocked, causeOfError, failed, messageOf, passed } from '../verdict.ts'

/** What errors mean before the relay's key is known. */
const BEFORE_KEY: Readonly<Partial<Record<DerpErrorCode, CauseId>>> = {
  ERR_DERP_CONN_CLOSED: 'closed-after-upgrade',
  ERR_DERP_WRITE_FAILED: 'closed-after-upgrade',
  ERR_DERP_LOGIN_TIMEOUT: 'no-server-key',
}

/** What errors mean between our login and the relay's answer. */
const BEFORE_INFO: Readonly<Partial<Record<DerpErrorCode, CauseId>>> = {
  ERR_DERP_CONN_CLOSED: 'not-admitted',
  ERR_DERP_WRITE_FAILED: 'not-admitted',
  ERR_DERP_READ_TIMEOUT: 'login-silent',
}

export const serverKey: Step = {
  id: 'server-key',
  title: 'Server key',
  layer: 'login',
  // One of them is skipped where the platform has only the other.
  after: ['upgrade', 'websocket'],
  silence: 'no-server-key',
  async run(examination, signal) {
    const { platform, options, findings } = examination
    const { conn } = findings
    if (conn === undefined) return blocked('no connection carries DERP')
    const privateKey = options.privateKey ?? (await platform.generateKey())
    findings.selfKey = privateKey.publicKey()
    try {
      const login = { privateKey, agreement: platform.agreement, clock: platform.clock }
      findings.client = await DerpClient.login(conn, login, signal)
    } catch (error) {
      if (signal.aborted) throw error
      return failed(causeIn(BEFORE_KEY, error, 'not-derp'), messageOf(error))
    }
    return judgeKey(examination, findings.client)
  },
}

/** The key in the meta certificate is that of the relay where TLS ends. */
function judgeKey({ findings }: Examination, { serverKey: shown }: DerpClient) {
  findings.serverKey = shown
  const announced = findings.tls?.serverKey
  const name = shown.shortString()
  if (announced === undefined) return passed(`${name}, not announced by a certificate`)
  if (announced.equals(shown)) return passed(`${name}, as announced by its certificate`)
  findings.client?.close()
  delete findings.client
  return failed('key-differs', `announced ${announced.shortString()}, shown ${name}`)
}

export const login: Step = {
  id: 'login',
  title: 'Login',
  layer: 'login',
  after: ['server-key'],
  silence: 'login-silent',
  async run({ findings, options }, signal) {
    const { client } = findings
    if (client === undefined) return blocked('no connection carries DERP')
    try {
      while ((await client.recv(signal)).type !== 'serverInfo');
      return passed('admitted')
    } catch (error) {
      if (signal.aborted && signal.reason instanceof TimeIsUpError) throw error
      const how = options.token === undefined ? '' : ', with the token'
      const key = options.privateKey === undefined ? 'a fresh key' : options.privateKey.publicKey().toString()
      const id = causeIn(BEFORE_INFO, error, 'login-broken')
      return failed(id, id === 'not-admitted' ? `${key}${how}` : messageOf(error))
    }
  },
}

function causeIn(
  table: Readonly<Partial<Record<DerpErrorCode, CauseId>>>,
  error: unknown,
  otherwise: CauseId,
): CauseId {
  return (isDerpError(error) ? table[error.code] : undefined) ?? causeOfError(error, otherwise)
}
