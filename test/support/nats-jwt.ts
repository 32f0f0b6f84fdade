/** Accounts of NATS by JWT: an operator, an account with a template of permissions, and credentials of its users. */

import { nkeys } from '@nats-io/transport-node'
import { encodeUtf8 } from '../../src/lib/bytes.ts'

/** What a user may do; `{{name()}}` stands for its name. */
export interface Template {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
}

export interface JwtAccount {
  /** Lines of a server's configuration. */
  readonly config: string
  /** The text of a credentials file. */
  credentialsOf(name: string): string
}

const UNLIMITED = { subs: -1, data: -1, payload: -1 }
const ACCOUNT_LIMITS = { ...UNLIMITED, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 }

export function createJwtAccount({ publish, subscribe }: Template): JwtAccount {
  const [operator, account, signing] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createAccount()]
  const template = { pub: { allow: publish }, sub: { allow: subscribe }, ...UNLIMITED }
  const scope = { kind: 'user_scope', key: signing.getPublicKey(), role: 'relay', template }
  const accountClaims = { type: 'account', version: 2, limits: ACCOUNT_LIMITS, signing_keys: [scope] }
  const operatorJwt = sign(operator, operator, 'operator', { type: 'operator', version: 2 })
  const accountJwt = sign(operator, account, 'derp', accountClaims)
  return {
    config: `operator: ${operatorJwt}\nresolver: MEMORY\nresolver_preload: { ${account.getPublicKey()}: ${accountJwt} }`,
    credentialsOf: name => {
      const user = nkeys.createUser()
      const claims = { type: 'user', version: 2, issuer_account: account.getPublicKey(), pub: {}, sub: {} }
      const seed = new TextDecoder().decode(user.getSeed())
      return block('NATS USER JWT', sign(signing, user, name, claims)) + block('USER NKEY SEED', seed)
    },
  }
}

function sign(issuer: nkeys.KeyPair, subject: nkeys.KeyPair, name: string, nats: object): string {
  const iat = Math.floor(Date.now() / 1_000)
  const claims = { jti: crypto.randomUUID(), iat, iss: issuer.getPublicKey(), name, sub: subject.getPublicKey(), nats }
  const text = [{ typ: 'JWT', alg: 'ed25519-nkey' }, claims].map(part => base64Url(JSON.stringify(part))).join('.')
  return `${text}.${base64Url(issuer.sign(encodeUtf8(text)))}`
}

function base64Url(content: string | Uint8Array): string {
  return Buffer.from(content).toString('base64url')
}

function block(title: string, content: string): string {
  return `-----BEGIN ${title}-----\n${content}\n------END ${title}------\n\n`
}
