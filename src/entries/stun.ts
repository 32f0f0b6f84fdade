/**
 * STUN as used by nodes and relays.
 *
 * @module derphttp/stun
 */

import './assert-runtime.ts'

export type { AddressPort } from '../lib/address-port.ts'
export type { SourceLimit } from '../lib/rate/source-limiter.ts'
export type { BridgeSuspicion } from '../stun/bridge-watch.ts'
export { type StunBinding, stunBinding } from '../stun/client.ts'
export type { StunBindingOptions } from '../stun/client-options.ts'
export { STUN_PORT, TX_ID_BYTES } from '../stun/constants.ts'
export type { StunAddress } from '../stun/mapped-address.ts'
export {
  type BindingRequestFailure,
  type BindingRequestResult,
  type BindingResponseFailure,
  type BindingResponseResult,
  createTxId,
  encodeBindingRequest,
  encodeBindingResponse,
  isStun,
  parseBindingRequest,
  parseBindingResponse,
} from '../stun/message.ts'
export {
  type FamilyCounts,
  STUN_REFUSAL_REASONS,
  type StunRefusalReason,
  type StunRequestCounters,
} from '../stun/request-counters.ts'
export type { StunCounters, StunErrorListener } from '../stun/responder.ts'
export { createStunServer, type StunServer, type StunServerOptions } from '../stun/server.ts'
export { StunError, type StunErrorCode } from '../stun/stun-error.ts'
