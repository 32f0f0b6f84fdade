/** Where a started `derper` serves, as its log says. */

import type { Program } from './process.ts'

/** Fields of the line; addresses are "host:port". */
export interface Served {
  readonly address: string
  /** Of {@link address}. */
  readonly port: number
  readonly tls: boolean
  readonly relay?: string
  readonly http?: string
  readonly stun?: string
  readonly metrics?: string
}

/** Waits until `derper` serves. */
export async function served(program: Program): Promise<Served> {
  const [line] = await program.stderrMatch(/^\{.*"msg":"serving"\}$/m)
  const said = JSON.parse(line) as Omit<Served, 'port'>
  return { ...said, port: portOf(said.address) }
}

/** The port of "host:port". */
export function portOf(address = ''): number {
  return Number(/:(\d+)$/.exec(address)?.[1])
}
