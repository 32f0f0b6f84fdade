/**
 * The path of every connection of a listener, from TCP accept to what serves it, stage by stage.
 *
 * Cheap stages that refuse much come first. A refused connection is closed without a response.
 */

import type { Socket } from 'node:net'
import type { AcceptDeadlines } from '../accept-deadline.ts'
import type { AcceptGate } from '../accept-limits.ts'
import type { AcceptPace } from '../accept-pace.ts'
import type { EarlyUpgrade, UpgradeHeadReader } from '../upgrade-head.ts'
import { Connection, type Stage } from './accepted-connection.ts'
import type { AuthorityHandshakes } from './authority-handshakes.ts'
import type { LookForPlainHttp } from './plain-http.ts'
import type { ProxyGate } from './proxy-gate.ts'
import type { TlsHandshakes } from './tls-handshakes.ts'

/** Dependencies of the TLS stages. */
export interface TlsStages {
  readonly pace: AcceptPace<Connection>
  readonly authorities: AuthorityHandshakes
  readonly handshakes: TlsHandshakes
  /** Detects plain HTTP before the handshake, where the runtime needs that. */
  readonly plainHttp?:
    | { readonly look: LookForPlainHttp; readonly refuse: (connection: Connection) => void }
    | undefined
}

/** Dependencies of one listener's stages. */
export interface StageContext {
  readonly limits: AcceptGate | undefined
  readonly deadlines: AcceptDeadlines
  readonly proxyGate: ProxyGate | undefined
  /** Undefined for plain HTTP. */
  readonly tls: TlsStages | undefined
  /** Undefined if DERP clients go to HTTP, too. */
  readonly heads: UpgradeHeadReader | undefined
  /** A connection was accepted. */
  readonly onAccepted: (() => void) | undefined
  /** A connection was refused by a limit. */
  readonly onRefused: (() => void) | undefined
  /** Whether a DERP client's request is accepted here; otherwise it goes to HTTP. */
  readonly takeUpgrade: (connection: Connection, upgrade: EarlyUpgrade) => boolean
  readonly serveHttp: (connection: Connection) => void
}

/** The stages of a listener, in order. */
export function connectionStages(parts: StageContext): readonly Stage[] {
  const { proxyGate, tls } = parts
  const stages: readonly (Stage | undefined)[] = [
    { name: 'number', clause: 'P-109', run: connection => takePlace(parts, connection) },
    { name: 'deadline', clause: 'P-035', run: connection => startDeadline(parts, connection) },
    proxyGate && { name: 'PROXY header', clause: 'P-126', run: connection => readProxyHeader(proxyGate, connection) },
    { name: 'source and rate', clause: 'P-108', run: connection => admitSource(parts, connection) },
    tls && { name: 'pace', clause: 'P-110', run: connection => waitForTurn(tls, connection) },
    tls && { name: 'authority', clause: 'P-147', run: connection => tls.authorities.take(connection) },
    tls?.plainHttp && { name: 'plain HTTP', clause: 'P-142', run: refusePlainHttp(tls.plainHttp) },
    tls && { name: 'TLS', clause: 'P-142', run: connection => tls.handshakes.begin(connection) },
    { name: 'first bytes', clause: 'P-120', run: connection => serveByFirstBytes(parts, connection) },
  ]
  return stages.filter(stage => stage !== undefined)
}

function ignore(): void {}

/** Starts an accepted socket on its path. */
export function begin(socket: Socket, stages: readonly Stage[]): void {
  // After any error the socket closes, which is handled.
  socket.on('error', ignore)
  new Connection(socket, stages).proceed()
}

/** Limits open connections of all listeners. */
function takePlace(parts: StageContext, connection: Connection): void {
  if (parts.limits?.open(connection.raw) === false) refuse(parts, connection)
  else connection.proceed()
}

function startDeadline({ deadlines }: StageContext, connection: Connection): void {
  const { raw } = connection
  if (raw.remoteAddress === undefined) {
    // Reset before it could be inspected.
    raw.destroy()
    return
  }
  connection.deadline = deadlines.begin(raw)
  connection.proceed()
}

function readProxyHeader(gate: ProxyGate, connection: Connection): void {
  gate.readHeader(connection.raw, source => {
    connection.source = source
    connection.proceed()
  })
}

/** Only now is the client behind a proxy known. */
function admitSource(parts: StageContext, connection: Connection): void {
  const { limits, proxyGate, onAccepted } = parts
  const { raw, source } = connection
  const peer = source?.address ?? raw.remoteAddress
  const address = proxyGate === undefined ? peer : proxyGate.clientAddress(peer)
  if (limits?.admit(raw, address) === false) {
    refuse(parts, connection)
    return
  }
  onAccepted?.()
  connection.proceed()
}

function refusePlainHttp({ look, refuse }: NonNullable<TlsStages['plainHttp']>): Stage['run'] {
  return connection => look(connection.raw, isPlainHttp => (isPlainHttp ? refuse(connection) : connection.proceed()))
}

/** DERP clients send their request in one piece (P-120), so `node:http` need not see it. Others get there. */
function serveByFirstBytes({ heads, takeUpgrade, serveHttp }: StageContext, connection: Connection): void {
  const { socket } = connection
  const onEnd = () => socket.end()
  const onFirst = (chunk: Buffer) => {
    socket.off('data', onFirst).off('end', onEnd).pause()
    const upgrade = heads?.read(chunk)
    if (upgrade !== undefined && takeUpgrade(connection, upgrade)) return
    socket.unshift(chunk)
    serveHttp(connection)
    socket.resume()
  }
  socket.on('data', onFirst).on('end', onEnd)
}

/** A client that leaves while it waits has failed its handshake, too. */
function waitForTurn({ handshakes, pace }: TlsStages, connection: Connection): void {
  handshakes.expect(connection)
  pace.add(connection)
}

function refuse({ onRefused }: StageContext, { raw }: Connection): void {
  raw.destroy()
  onRefused?.()
}
