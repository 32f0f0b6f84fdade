/** Whether connections can be upgraded to DERP: by native clients, and by WebSocket. */

import { equalBytes } from '../../lib/bytes.ts'
import { FRAME_HEADER_LENGTH, MAGIC, WEBSOCKET_PROTOCOL } from '../../protocol/constants.ts'
import type { Conn } from '../../transport/conn.ts'
import { reachable, requestUpgrade } from '../connect.ts'
import type { HttpResponse } from '../http-exchange.ts'
import { proxyKind } from '../proxy-kind.ts'
import type { Examination, Step } from '../step.ts'
import { failed, messageOf, passed, type Verdict, warning } from '../verdict.ts'
import { describe } from './http.ts'

export const upgrade: Step = {
  id: 'upgrade',
  title: 'Upgrade to DERP',
  layer: 'upgrade',
  after: ['http'],
  silence: 'upgrade-silent',
  needs: ({ openTcp }) => openTcp !== undefined,
  async run(examination, signal) {
    const answer = await requestUpgrade(reachable(examination), signal)
    if (answer.kind === 'closed')
      return failed('upgrade-closed', messageOf(answer.error ?? 'closed without a response'))
    if (answer.kind === 'other') return failed('not-http', 'the response is not HTTP')
    if (answer.status !== 101) return refusal(answer)
    const protocol = answer.headers.get('upgrade') ?? ''
    if (protocol.toLowerCase() !== 'derp') {
      answer.conn.destroy()
      return failed('upgrade-wrong', `to ${JSON.stringify(protocol)}`)
    }
    examination.findings.conn = answer.conn
    return passed('status 101')
  },
}

/** Relays only send 426 if the upgrade did not reach them. */
function refusal(response: HttpResponse): Verdict {
  const { status, headers } = response
  if (status === 426) return failed('upgrade-stripped', describe(response))
  const isByProxy = proxyKind(headers) !== undefined && (status === 400 || status === 501)
  return failed(isByProxy ? 'upgrade-stripped' : 'upgrade-refused', describe(response))
}

export const webSocket: Step = {
  id: 'websocket',
  title: 'WebSocket',
  layer: 'upgrade',
  after: ['http'],
  silence: 'websocket-refused',
  // Native clients do not need it.
  isOptional: ({ platform }) => platform.openTcp !== undefined,
  async run(examination, signal) {
    const { platform, target, findings } = examination
    if (platform.openTcp !== undefined) return requestWebSocket(examination, signal)
    if (platform.openWebSocket === undefined) return failed('websocket-refused', `not possible in ${platform.name}`)
    try {
      findings.conn = await platform.openWebSocket(target.endpoint.url, signal)
      return passed('open')
    } catch (error) {
      if (signal.aborted) throw error
      return failed('websocket-refused', messageOf(error))
    }
  },
}

async function requestWebSocket(examination: Examination, signal: AbortSignal): Promise<Verdict> {
  const nonce = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))))
  const answer = await requestUpgrade(reachable(examination), signal, {
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': nonce,
    'Sec-WebSocket-Protocol': WEBSOCKET_PROTOCOL,
  })
  if (answer.kind !== 'response') return warning('websocket-refused', 'the connection is closed')
  if (answer.status !== 101) return warning('websocket-refused', describe(answer))
  const protocol = answer.headers.get('sec-websocket-protocol')
  if (protocol !== WEBSOCKET_PROTOCOL) {
    answer.conn.destroy()
    return warning('websocket-not-derp', `it speaks ${JSON.stringify(protocol ?? '')}`)
  }
  const isDerp = await beginsWithDerp(answer.conn)
  return isDerp ? passed('status 101') : warning('websocket-not-derp', 'its first message is not from a relay')
}

/** Whether the first message is binary and starts with a relay's greeting. */
function beginsWithDerp(conn: Conn): Promise<boolean> {
  const outcome = Promise.withResolvers<boolean>()
  conn.open({
    onData: frame => outcome.resolve(isGreeting(frame)),
    onClose: () => outcome.resolve(false),
  })
  return outcome.promise.finally(() => conn.destroy())
}

/** Server frames are not masked (RFC 6455 section 5.2); the greeting fits one without extended length. */
function isGreeting(frame: Uint8Array): boolean {
  const isBinary = ((frame[0] ?? 0) & 0x0f) === 2
  const at = 2 + FRAME_HEADER_LENGTH
  return isBinary && equalBytes(frame.subarray(at, at + MAGIC.length), MAGIC)
}
