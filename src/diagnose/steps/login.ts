/** Whether the relay sends its key and admits this client. */

import { DerpClient } from '../../client/derp-client.ts'
import type { DerpErrorCode } from '../../lib/derp-error.ts'
import { isDerpError } from '../../lib/derp-error.ts'
import type { CauseId } from '../cause.ts'
import { type DiagnoseOptions, type Examination, type Step, StepTimeoutError } from '../step.ts'
import { blocked, causeOfError, type Fault, failed, messageOf, passed } from '../verdict.ts'

/** Causes of errors before the server key arrives. */
const BEFORE_KEY: Readonly<Partial<Record<DerpErrorCode, CauseId>>> = {
  ERR_DERP_CONN_CLOSED: 'closed-after-upgrade',
  ERR_DERP_WRITE_FAILED: 'closed-after-upgrade',
  ERR_DERP_LOGIN_TIMEOUT: 'no-server-key',
}

/** Causes of errors between ClientInfo and ServerInfo. */
const BEFORE_INFO: Readonly<Partial<Record<DerpErrorCode, CauseId>>> = {
  ERR_DERP_CONN_CLOSED: 'not-admitted',
  ERR_DERP_WRITE_FAILED: 'not-admitted',
  ERR_DERP_READ_TIMEOUT: 'login-silent',
}

export const serverKey: Step = {
  id: 'server-key',
  title: 'Server key',
  layer: 'login',
  // A platform may support only one of them and skip the other.
  after: ['upgrade', 'websocket'],
  silence: 'no-server-key',
  async run(examination, signal) {
    const { platform, options, findings } = examination
    const { conn } = findings
    if (conn === undefined) return blocked('no connection was upgraded to DERP')
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

/** The meta certificate has the key of the relay that terminates TLS. */
function judgeKey({ findings, target }: Examination, { serverKey: shown }: DerpClient) {
  findings.serverKey = shown
  const announced = findings.tls?.serverKey
  const name = shown.shortString()
  if (announced === undefined) {
    return passed(target.endpoint.url.protocol === 'http:' ? name : `${name}, not announced in a certificate`)
  }
  if (announced.equals(shown)) return passed(`${name}, as announced in its certificate`)
  findings.client?.close()
  delete findings.client
  return failed('key-differs', `announced ${announced.shortString()}, received ${name}`)
}

export const login: Step = {
  id: 'login',
  title: 'Login',
  layer: 'login',
  after: ['server-key'],
  silence: 'login-silent',
  async run({ findings, options }, signal) {
    const { client } = findings
    if (client === undefined) return blocked('no connection was upgraded to DERP')
    try {
      while ((await client.recv(signal)).type !== 'serverInfo');
      return passed('admitted')
    } catch (error) {
      if (signal.aborted && signal.reason instanceof StepTimeoutError) throw error
      const id = causeIn(BEFORE_INFO, error, 'login-broken')
      return id === 'not-admitted' ? refused(options) : failed(id, messageOf(error))
    }
  },
}

/** Only a key or token that the relay should know says that admission is broken. */
function refused({ privateKey, token }: DiagnoseOptions): Fault {
  const how = token === undefined ? '' : ', with the token'
  if (privateKey !== undefined) return failed('not-admitted', `${privateKey.publicKey()}${how}`)
  return token === undefined
    ? failed('new-key-not-admitted', 'closed after the login')
    : failed('not-admitted', `a new key${how}`)
}

function causeIn(
  table: Readonly<Partial<Record<DerpErrorCode, CauseId>>>,
  error: unknown,
  otherwise: CauseId,
): CauseId {
  return (isDerpError(error) ? table[error.code] : undefined) ?? causeOfError(error, otherwise)
}
