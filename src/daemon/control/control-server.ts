/**
 * The control socket: lets another `derper` of the same user take over (P-177).
 *
 * A process that may open the socket may drain this relay, and nothing else. Other input is answered with an error, or
 * not at all.
 */

import { chmodSync, chownSync, lstatSync, unlinkSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import type { Clock } from '../../lib/clock.ts'
import { DerpError } from '../../lib/derp-error.ts'
import type { Log } from '../../lib/log.ts'
import type { Account } from '../settings.ts'
import { connectTo } from './control-client.ts'
import { type ControlStatus, formatRefusal, formatReleased, formatStatus, parseRequest } from './control-message.ts'
import { readLine } from './line-reader.ts'

/** Connections at a time, and milliseconds for each to ask. */
const MAX_CONNECTIONS = 8
const REQUEST_MS = 5_000
/** Read and write for the user only. */
const MODE = 0o600
const OTHERS = 0o177

export interface ControlParts {
  readonly clock: Clock
  readonly log: Log
  readonly status: () => ControlStatus
  /** The user to which all processes of the relay switch, if they are started as root. */
  readonly account?: Account | undefined
  /** Frees all ports, then drains; resolves once they are free. */
  readonly handOver: () => Promise<void>
}

export class ControlServer {
  readonly #path: string
  readonly #parts: ControlParts
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  constructor(path: string, parts: ControlParts) {
    this.#path = path
    this.#parts = parts
  }

  /** Rejects with a DerpError if another program listens there, or the path cannot be used. */
  async listen(): Promise<void> {
    try {
      this.#server = await bindTo(this.#path, socket => void this.#serve(socket))
      const { account } = this.#parts
      // The next process requests the drain after it has switched to that user.
      if (account !== undefined && process.getuid?.() === 0) chownSync(this.#path, account.uid, account.gid)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      const reason = code === 'EADDRINUSE' ? 'another derper listens there' : message
      throw new DerpError('ERR_DERP_CONFIG_INVALID', `listen on -control-socket ${this.#path}: ${reason}`, {
        cause: error,
      })
    }
  }

  /** Frees the path; connections that asked to drain stay until {@link close}. */
  release(): void {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return
    server.close()
    removeFile(this.#path)
  }

  close(): void {
    this.release()
    for (const socket of this.#sockets) socket.destroy()
  }

  async #serve(socket: Socket): Promise<void> {
    const { clock, log } = this.#parts
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {})
    try {
      const ask = parseRequest(await readLine(socket, clock, REQUEST_MS))
      if (ask === 'status') endWith(socket, formatStatus(this.#parts.status()))
      else {
        log.info('another derper takes over')
        await this.#parts.handOver()
        // It stays open: its end shows that this process has exited.
        socket.write(`${formatReleased()}\n`)
      }
    } catch (error) {
      const { message } = error as Error
      log.debug('control connection failed', { reason: message })
      endWith(socket, formatRefusal(message))
    }
  }
}

/** Does not wait for the other end. */
function endWith(socket: Socket, line: string): void {
  socket.end(`${line}\n`, () => socket.destroy())
}

/** A socket file without a listener is replaced. */
async function bindTo(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  try {
    return await tryBind(path, onConnection)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    const other = await connectTo(path)
    other?.destroy()
    if (other !== undefined) throw error
    removeFile(path)
    return tryBind(path, onConnection)
  }
}

function tryBind(path: string, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer(onConnection)
  server.maxConnections = MAX_CONNECTIONS
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // The file is created now, and must never be accessible to others.
    const before = process.umask(OTHERS)
    try {
      server.listen(path, () => {
        server.off('error', reject).on('error', () => {})
        chmodSync(path, MODE)
        server.unref()
        resolve(server)
      })
    } finally {
      process.umask(before)
    }
  })
}

function removeFile(path: string): void {
  try {
    // Only removes sockets, whatever the flag names.
    if (lstatSync(path).isSocket()) unlinkSync(path)
  } catch {
    // Gone, or not ours to remove: the next one to listen replaces it or says why not.
  }
}
