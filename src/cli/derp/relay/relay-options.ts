/** Options of subcommands that connect to one relay as its clients do. */

import { statSync } from 'node:fs'
import type { Command } from 'commander'
import { NodeClient, type NodeClientOptions } from '../../../client/node/node-client.ts'
import type { DERPRegion } from '../../../derpmap/types.ts'
import type { PrivateKey } from '../../../keys/private-key.ts'
import type { CommandIo } from '../../command-io.ts'
import { loadMap } from '../../derp-map/load-map.ts'
import { MAP_SOURCE_HELP } from '../../derp-map/map-source.ts'
import { authoritiesWith, trustSystem } from '../../trust.ts'
import {
  oneRegion,
  readPin,
  readRelayUrl,
  refusePinWithMap,
  refuseRegionWithoutMap,
  unusable,
} from './relay-address.ts'

/** The values of {@link addRelayOptions}. */
export interface RelayFlags {
  readonly ca?: string
  readonly pin?: string
  readonly token?: string
  readonly map?: string
  readonly region?: string
  readonly keyFile?: string | readonly string[]
}

/** What connections to the chosen relay are made with, as plain data: processes of a load test share it. */
export interface RelayAccess {
  /** Either the relay itself, or the region whose first reachable relay it is. */
  readonly target: { readonly url: string } | { readonly region: DERPRegion }
  /** SHA-256 of its certificate, in lower-case hex. */
  readonly pin: string | undefined
  /** PEM of all CAs to trust, if not only those of this process. */
  readonly authorities: readonly string[] | undefined
  readonly token: string | undefined
}

/** Adds the argument, which may be left out for `--map`, and the options. */
export function addRelayOptions(command: Command): Command {
  return command
    .argument('[relay]', 'host or URL of a relay, such as http://127.0.0.1:3340/derp')
    .option('--map <source>', `DERP map to use instead: ${MAP_SOURCE_HELP}`)
    .option('--region <id or code>', 'the region of the map')
    .option('--ca <file>', 'PEM file with additional CAs that your clients trust')
    .option('--pin <hash>', 'SHA-256 of the pinned certificate, as in CertName of a map')
    .option('--token <token>', 'token for admission')
}

/** @throws DerpError for values that do not fit together, an unreadable file or map. */
export async function readRelayAccess(
  relay: string | undefined,
  flags: RelayFlags,
  io: CommandIo,
): Promise<RelayAccess> {
  const target = await readTarget(relay, flags, io)
  const pin = readPin(flags.pin)
  if (pin !== undefined && 'url' in target && target.url.startsWith('http:')) {
    throw unusable(`use --pin: ${target.url} is not https, so there is no certificate`)
  }
  await trustSystem(io.env, problem => io.err(`derp: ${problem}\n`))
  const authorities = flags.ca === undefined ? undefined : await authoritiesWith(flags.ca)
  return { target, pin, authorities, token: flags.token }
}

/** A client of the relay. */
export function clientOf(access: RelayAccess, key: PrivateKey, options: NodeClientOptions = {}): NodeClient {
  const { target, pin, authorities, token } = access
  const tlsConfig = authorities === undefined ? {} : { ca: [...authorities] }
  const all = { tlsConfig, token, pin, ...options }
  if ('url' in target) return new NodeClient(key, target.url, all)
  const { region } = target
  return NodeClient.forRegion(key, () => region, { failover: 'tls', ...all })
}

/** What fixes a missing relay: an option that takes several files takes the relay as well. */
export function missingRelayFix(keyFile?: RelayFlags['keyFile']): string {
  if (Array.isArray(keyFile)) return '--key-file takes all that follows, so put the relay before it'
  return 'give its host or URL, such as relay.example or http://127.0.0.1:3340'
}

async function readTarget(
  relay: string | undefined,
  { map: source, region, pin, keyFile }: RelayFlags,
  io: CommandIo,
): Promise<RelayAccess['target']> {
  if (source === undefined) {
    if (relay === undefined) {
      throw unusable(`choose a relay: neither a relay nor --map was given; ${missingRelayFix(keyFile)}`)
    }
    if (statSync(relay, { throwIfNoEntry: false })?.isFile())
      throw unusable(`choose a relay: ${relay} is a file; give a DERP map with --map`)
    refuseRegionWithoutMap(region, relay)
    return { url: readRelayUrl(relay).href }
  }
  if (relay !== undefined) throw unusable(`choose a relay: both ${relay} and --map were given`)
  refusePinWithMap(pin)
  const { map } = await loadMap(source, io)
  return { region: oneRegion(map, region) }
}
