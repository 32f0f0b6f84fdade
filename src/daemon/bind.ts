/** Ports of the daemon: tried before anything is started, and bound with an error that names the flag. */

import { createServer } from 'node:net'
import { DerpError } from '../lib/derp-error.ts'
import { createStunServer } from '../stun/server.ts'
import { formatListenAddress, type ListenAddress } from './listen-address.ts'

/** A port that will be bound, and the flag that says so. */
export interface WantedPort extends ListenAddress {
  readonly flag: string
  readonly protocol: 'tcp' | 'udp'
}

const MENDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'stop the program that has it, or choose another port',
  EACCES: 'run it with the right to ports below 1024, or choose a higher one',
  EADDRNOTAVAIL: 'choose an address of this machine',
  ENOTFOUND: 'choose an address of this machine',
}

/** @throws DerpError naming two flags that ask for the same port. */
export function assertPortsDiffer(wanted: readonly WantedPort[]): void {
  for (const [at, port] of wanted.entries()) {
    const other = wanted.slice(0, at).find(earlier => isSamePort(earlier, port))
    if (other === undefined) continue
    const action = `listen on -${port.flag} ${formatListenAddress(port)}`
    throw new DerpError('ERR_DERP_CONFIG_INVALID', `${action}: -${other.flag} has that port; choose another for one`)
  }
}

function isSamePort(one: WantedPort, other: WantedPort): boolean {
  if (one.protocol !== other.protocol || one.port !== other.port || one.port === 0) return false
  const [a, b] = [one.host ?? '', other.host ?? '']
  return a === b || standsFor(a, b) || standsFor(b, a)
}

/** Whether listening on `host` takes the port of `other` as well. */
function standsFor(host: string, other: string): boolean {
  return host === '' || host === '::' || (host === '0.0.0.0' && !other.includes(':'))
}

/**
 * Binds each port for nobody else to share, and lets go of it again.
 *
 * Listeners that share their port with other processes would not notice that it is taken.
 *
 * @throws DerpError naming the first flag whose port cannot be had.
 */
export async function assertPortsFree(wanted: readonly WantedPort[]): Promise<void> {
  assertPortsDiffer(wanted)
  for (const port of wanted) {
    if (port.port !== 0) await bind(port, () => (port.protocol === 'tcp' ? tryTcp(port) : tryUdp(port)))
  }
}

/** Runs `listen`. @throws DerpError naming the flag, the address, the reason and what to do. */
export async function bind<T>(wanted: WantedPort, listen: () => Promise<T>): Promise<T> {
  try {
    return await listen()
  } catch (error) {
    const { message, code = '' } = error as NodeJS.ErrnoException
    const mend = MENDS[code] === undefined ? '' : `; ${MENDS[code]}`
    const action = `listen on -${wanted.flag} ${formatListenAddress(wanted)}${wanted.protocol === 'udp' ? '/udp' : ''}`
    throw new DerpError('ERR_DERP_CONFIG_INVALID', `${action}: ${message}${mend}`, { cause: error })
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
