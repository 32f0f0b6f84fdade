/**
 * A socket that knows its owner, so that all sockets share their listeners: listeners of its own would cost an idle
 * connection a kilobyte.
 */

import { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** What a socket tells its owner. */
export interface SocketOwner {
  onSocketError(error: Error): void
  onSocketClose(): void
  /** Takes what the stream passes on. */
  onSocketData(chunk: Uint8Array): void
  /** Takes what has been read, past the stream. */
  takeRead(chunk: Uint8Array): void
  /** Whether the platform may read on; if not, the owner calls `readMore` later. */
  mayReadOn(): boolean
}

const OWNER: unique symbol = Symbol('owner')
type OwnedSocket = Socket & { [OWNER]?: SocketOwner }

/** Tells `owner` of errors and of the end. */
export function own(socket: OwnedSocket, owner: SocketOwner): void {
  socket[OWNER] = owner
  socket.on('error', onError).on('close', onClose)
}

/** Starts reading for the owner. */
export function startReading(socket: OwnedSocket): void {
  socket.on('data', onData).on('end', onEnd)
  if (!(socket instanceof Socket)) return
  socket.push = push
  socket._read = read
}

/** Resumes reading after the owner has refused it. */
export function readMore(socket: Socket): void {
  platformOf(socket)._read.call(socket, 0)
}

function onError(this: OwnedSocket, error: Error): void {
  this[OWNER]?.onSocketError(error)
}

function onClose(this: OwnedSocket): void {
  this[OWNER]?.onSocketClose()
}

function onData(this: OwnedSocket, chunk: Uint8Array): void {
  this[OWNER]?.onSocketData(chunk)
}

/** Sockets from an HTTP server allow half-open connections; once the peer has ended, so do we. */
function onEnd(this: Socket): void {
  this.destroy()
}

/**
 * Takes what the socket has read before its stream does, if the stream would pass it on immediately: over TLS each
 * record arrives separately. If Node ever stops calling `push` here, everything arrives as `data` events.
 *
 * Nothing more is read while nothing may be taken: the stream alone would go on until it holds 64 KiB, which over TLS
 * may be as many records.
 */
function push(this: OwnedSocket, ...[chunk, encoding]: Parameters<Socket['push']>): boolean {
  const owner = this[OWNER]
  if (
    owner === undefined ||
    chunk === null ||
    this.readableFlowing !== true ||
    this.readableLength > 0 ||
    this.destroyed
  ) {
    platformOf(this).push.call(this, chunk, encoding)
  } else owner.takeRead(chunk)
  return chunk === null || owner === undefined || owner.mayReadOn()
}

function read(this: OwnedSocket, size: number): void {
  if (this[OWNER]?.mayReadOn() !== false) platformOf(this)._read.call(this, size)
}

/** The methods that {@link push} and {@link read} stand before. */
function platformOf(socket: Socket): Socket {
  return socket instanceof TLSSocket ? TLSSocket.prototype : Socket.prototype
}
