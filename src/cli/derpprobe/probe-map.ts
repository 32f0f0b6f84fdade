/** Fetches the DERP map that is probed. */

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { defaultDaemonSocket, getLocal } from '../../admission/local-api.ts'
import type { DerpMapError } from '../../derpmap/derp-map-error.ts'
import { abortable } from '../../lib/abort.ts'
import type { Clock } from '../../lib/clock.ts'
import { type FetchedMap, MapUnreachableError } from '../../monitor/ports.ts'
import type { FetchBytes } from '../../monitor/revocation/revocation-checker.ts'
import { parseLoadedMap } from '../derp-map/load-map.ts'

export interface MapPorts {
  readonly clock: Clock
  readonly fetchBytes: FetchBytes
  /** Default: where this system's tailscaled has it. */
  readonly daemonSocket?: string
}

/** Stands for the map of the local tailscaled. */
const LOCAL = 'local'
const LOCAL_PATH = '/localapi/v0/derpmap'

/** @throws MapUnreachableError when the host of a URL does not answer, other errors for what it answers. */
export async function fetchProbeMap(source: string, ports: MapPorts, signal: AbortSignal): Promise<FetchedMap> {
  const warnings: DerpMapError[] = []
  const onWarning = (warning: DerpMapError) => void warnings.push(warning)
  const { map, document } = parseLoadedMap(source, await readText(source, ports, signal), { onWarning })
  const leftOut = countNodes(document.value) - countNodes(map)
  return { map, problem: leftOut === 0 ? undefined : problemOf(leftOut, warnings) }
}

/** Parts that are unknown give warnings too, so the reason may be among several. */
function problemOf(leftOut: number, warnings: readonly DerpMapError[]): string {
  const reason = warnings.find(({ path }) => /\.Nodes\[\d+\]/.test(path)) ?? warnings[0]
  return `nodes left out of the DERP map: ${leftOut}; ${reason?.message ?? ''}; "derp map lint" tells more`
}

/** Nodes of a map that is not checked yet: names are in any case, the last of equal ones counts, regions may be null. */
function countNodes(map: unknown): number {
  const member = (value: unknown, name: string): unknown =>
    Object.entries(Object(value)).findLast(([key]) => key.toLowerCase() === name)?.[1]
  const lists = Object.values(Object(member(map, 'regions'))).map(region => member(region, 'nodes'))
  return lists.reduce((sum: number, nodes) => sum + (Array.isArray(nodes) ? nodes.length : 0), 0)
}

async function readText(
  source: string,
  { clock, fetchBytes, daemonSocket = defaultDaemonSocket() }: MapPorts,
  signal: AbortSignal,
): Promise<string> {
  if (source === LOCAL) return localText(daemonSocket, clock, signal)
  if (!/^https?:\/\//i.test(source)) {
    const path = /^file:\/\//i.test(source) ? fileURLToPath(source) : source
    return readFile(path, { encoding: 'utf8', signal }).catch((error: Error) => {
      const fix = `name a readable file, an http, https or file URL, or ${LOCAL}`
      throw new Error(`read DERP map ${source}: ${error.message}; ${fix}`, { cause: error })
    })
  }
  const answer = await fetchBytes({ url: source }, signal).catch((error: Error) => {
    throw new MapUnreachableError(`fetch DERP map ${source}: ${error.message}`, { cause: error })
  })
  if (answer.status !== 200) throw new Error(`fetch DERP map ${source}: status ${answer.status}`)
  return new TextDecoder().decode(answer.body)
}

async function localText(socket: string, clock: Clock, signal: AbortSignal): Promise<string> {
  const action = `ask tailscaled at ${socket} for its DERP map`
  const { status, text } = await abortable(getLocal(socket, LOCAL_PATH, clock), signal, action).catch(
    (error: Error) => {
      throw new Error(`${action}: ${error.message}; is it running, and may this user speak to it?`, { cause: error })
    },
  )
  if (status !== 200) throw new Error(`${action}: status ${status}: ${text.trim()}`)
  return text
}
