/**
 * Messages between a `derper` that takes over and the first one: one line of JSON each way per connection.
 *
 * Unknown fields are ignored, so that versions may differ.
 */

import { DerpError } from '../../lib/derp-error.ts'

/** Incremented when versions no longer understand each other's messages. */
const CONTROL_PROTOCOL = 1
/** Maximum bytes of a line; a longer one is an error. */
export const MAX_LINE_BYTES = 4_096

/**
 * `status` asks for ports and state. `drain` frees the ports and the control socket, moves the clients, and ends the
 * process.
 */
export type ControlRequest = 'status' | 'drain'

/** The bound ports of a daemon; undefined for those that it does not use. */
export interface BoundPorts {
  readonly main: number
  readonly http: number | undefined
  readonly stun: number | undefined
  readonly metrics: number | undefined
}

export interface ControlStatus {
  readonly pid: number
  readonly version: string
  readonly ports: BoundPorts
}

export function formatRequest(ask: ControlRequest): string {
  return JSON.stringify({ protocol: CONTROL_PROTOCOL, ask })
}

/** @throws DerpError for anything else. */
export function parseRequest(line: string): ControlRequest {
  const { ask } = parseObject(line)
  if (ask === 'status' || ask === 'drain') return ask
  throw invalid('no question that is known')
}

export function formatStatus(status: ControlStatus): string {
  return JSON.stringify({ protocol: CONTROL_PROTOCOL, ...status })
}

/** @throws DerpError for anything else. */
export function parseStatus(line: string): ControlStatus {
  const { pid, version, ports } = parseObject(line)
  if (typeof ports !== 'object' || ports === null) throw invalid('no ports')
  const { main, http, stun, metrics } = ports as Record<string, unknown>
  return {
    pid: wholeNumber('pid', pid, Number.MAX_SAFE_INTEGER),
    version: String(version).slice(0, 100),
    ports: {
      main: portOf('main', main),
      http: portIf('http', http),
      stun: portIf('stun', stun),
      metrics: portIf('metrics', metrics),
    },
  }
}

/** Answers `drain` once the ports and the control socket are free. */
export function formatReleased(): string {
  return JSON.stringify({ protocol: CONTROL_PROTOCOL, released: true })
}

/** @throws DerpError for anything else. */
export function parseReleased(line: string): void {
  if (parseObject(line)['released'] !== true) throw invalid('ports not released')
}

export function formatRefusal(reason: string): string {
  return JSON.stringify({ protocol: CONTROL_PROTOCOL, error: reason })
}

function parseObject(line: string): Readonly<Record<string, unknown>> {
  let parsed: unknown
  try {
    parsed = JSON.parse(line)
  } catch (cause) {
    throw invalid('not JSON', cause)
  }
  if (typeof parsed !== 'object' || parsed === null) throw invalid('no object')
  const fields = parsed as Record<string, unknown>
  if (typeof fields['error'] === 'string') throw invalid(fields['error'].slice(0, 200))
  if (fields['protocol'] !== CONTROL_PROTOCOL) {
    throw invalid(`it speaks another protocol than ${CONTROL_PROTOCOL}: upgrade by a restart this time`)
  }
  return fields
}

function portOf(name: string, value: unknown): number {
  return wholeNumber(name, value, 65_535)
}

function portIf(name: string, value: unknown): number | undefined {
  return value === undefined ? undefined : portOf(name, value)
}

function wholeNumber(name: string, value: unknown, most: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= most) return value
  throw invalid(`${name} is no number in range`)
}

const invalid = (reason: string, cause?: unknown) =>
  new DerpError('ERR_DERP_TAKEOVER_FAILED', `read control message: ${reason}`, { cause })
