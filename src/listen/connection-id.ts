/** What tells a connection from all others of the machine: a TLS socket has it in common with the raw one below. */

import type { Socket } from 'node:net'

/** The addresses of both ends, as the operating system knows them. */
export function connectionId({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
