/** Port checks before startup, and bind errors that name the flag. */

import { createServer } from 'node:net'
import { DerpError } from '../lib/derp-error.ts'
import { createStunServer } from '../stun/server.ts'
import { formatListenAddress, type ListenAddress } from './listen-address.ts'

/** A port to bind and the flag that asks for it. */
export interface WantedPort extends ListenAddress {
  readonly flag: string
  readonly protocol: 'tcp' | 'udp'
}

/** Reason and remedy by code: messages differ by runtime. */
const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use; stop the program that uses it, or choose another port',
  EACCES: 'permission denied; run with permission to bind ports below 1024, or choose a higher one',
  EADDRNOTAVAIL: 'address not available; choose an address of this host',
  ENOTFOUND: 'name not found; choose an address of this host',
}

/** Reason and remedy of a failed bind. */
export function bindReason(error: unknown): string {
  const { message, code = '' } = error as NodeJS.ErrnoException
  // Bun has neither code nor reason for a name that it cannot resolve.
  const known = code === '' && message.startsWith('Failed to listen at') ? 'ENOTFOUND' : code
  return REASONS[known] ?? message
}

/** @throws DerpError naming two flags that use the same port. */
export function assertPortsDiffer(wanted: readonly WantedPort[]): void {
  for (const [at, port] of wanted.entries()) {
    const other = wanted.slice(0, at).find(earlier => isSamePort(earlier, port))
    if (other === undefined) continue
    const action = `listen on -${port.flag} ${formatListenAddress(port)}`
    throw new DerpError(
      'ERR_DERP_CONFIG_INVALID',
      `${action}: already used by -${other.flag}; choose another port for one of them`,
    )
  }
}

function isSamePort(one: WantedPort, other: WantedPort): boolean {
  if (one.protocol !== other.protocol || one.port !== other.port || one.port === 0) return false
  const [a, b] = [one.host ?? '', other.host ?? '']
  return a === b || covers(a, b) || covers(b, a)
}

/** Whether listening on `host` takes the port of `other` as well. */
function covers(host: string, other: string): boolean {
  return host === '' || host === '::' || (host === '0.0.0.0' && !other.includes(':'))
}

/**
 * Binds each port exclusively, then releases it.
 *
 * A listener with SO_REUSEPORT would not notice that another process uses the port.
 *
 * @throws DerpError naming the first flag whose port cannot be bound.
 */
export async function assertPortsFree(wanted: readonly WantedPort[]): Promise<void> {
  assertPortsDiffer(wanted)
  for (const port of wanted) {
    if (port.port !== 0) await bind(port, () => (port.protocol === 'tcp' ? tryTcp(port) : tryUdp(port)))
  }
}

/** Runs `listen`. @throws DerpError with flag, address, reason and remedy. */
export async function bind<T>(wanted: WantedPort, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen()
  } catch (error) {
    const action = `listen on -${wanted.flag} ${formatListenAddress(wanted)}${wanted.protocol === 'udp' ? '/udp' : ''}`
    throw new DerpError('ERR_DERP_CONFIG_INVALID', `${action}: ${bindReason(error)}`, { cause: error })
  }
}

function tryTcp({ host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen({ port, exclusive: true, ...(host !== undefined && { host }) }, () => server.close(() => resolve()))
  })
}

async function tryUdp({ host, port }: ListenAddress): Promise<void> {
  const server = createStunServer({ host, port })
  await server.listen()
  await server.close()
}
