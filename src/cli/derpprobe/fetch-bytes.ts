/** Fetches small documents: maps, and what authorities say of certificates. */

import { HttpClient } from '../../admission/http-client.ts'
import type { ProxyEnv } from '../../client/node/node-proxy-rules.ts'
import { explainError } from '../../lib/connection-fault.ts'
import type { FetchBytes } from '../../monitor/revocation/revocation-checker.ts'

/** Most bytes of a body: lists of revoked certificates may be long. */
const MAX_BYTES = 10 << 20
/** Connections kept to one host. */
const MAX_SOCKETS = 4

/** By the proxies of the environment. Rejects when the host does not answer, or with too much. */
export function bytesFetcher(env: ProxyEnv): FetchBytes {
  const http = new HttpClient(env, MAX_SOCKETS)
  return async ({ url, post }, signal) => {
    try {
      const request = post === undefined ? {} : { body: post.body, headers: { 'Content-Type': post.type } }
      const response = await http.send({ url: new URL(url), ...request, signal })
      return { status: response.status, body: Uint8Array.from(await response.read(MAX_BYTES)) }
    } catch (error) {
      if (signal.aborted) throw error
      throw new Error(explainError(error), { cause: error })
    }
  }
}
