/** Keeps what a fuzzed answer names on this machine: connections to any other host fail. */

import { Socket } from 'node:net'

const LOOPBACK = /^(?:127\.0\.0\.1|localhost|::1)$/
const connect = Reflect.get(Socket.prototype, 'connect') as (this: Socket, ...args: unknown[]) => Socket

let running = 0

function guarded(this: Socket, ...args: unknown[]): Socket {
  // Inside node:net the arguments have been gathered in an array already.
  const options = (Array.isArray(args[0]) ? args[0][0] : args[0]) as { host?: string; path?: string } | undefined
  const isHere = options?.path !== undefined || LOOPBACK.test(options?.host ?? 'localhost')
  if (isHere) return Reflect.apply(connect, this, args)
  process.nextTick(() => this.destroy(new Error(`connect to ${options?.host}: not on this machine`)))
  return this
}

/** Runs `use` so. */
export async function onlyLoopback<T>(use: () => Promise<T>): Promise<T> {
  if (running++ === 0) Reflect.set(Socket.prototype, 'connect', guarded)
  try {
    return await use()
  } finally {
    if (--running === 0) Reflect.set(Socket.prototype, 'connect', connect)
  }
}
