/** Public entry `derphttp/stun`: STUN as nodes and relays speak it. */

export type { AddressPort } from '../lib/address-port.ts'
export type { SourceLimit } from '../lib/source-limiter.ts'
export type { BridgeSuspicion } from './bridge-watch.ts'
export { type StunBinding, stunBinding } from './client.ts'
export type { StunBindingOptions } from './client-options.ts'
export { STUN_PORT, TX_ID_BYTES } from './constants.ts'
export type { StunAddress } from './mapped-address.ts'
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
} from './message.ts'
export {
  type FamilyCounts,
  STUN_REFUSAL_REASONS,
  type StunRefusalReason,
  type StunRequestCounters,
} from './request-counters.ts'
export type { StunCounters, StunErrorListener } from './responder.ts'
export { createStunServer, type StunServer, type StunServerOptions } from './server.ts'
export { StunError, type StunErrorCode } from './stun-error.ts'
