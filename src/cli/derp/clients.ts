/** `derp clients`: shows who uses a relay. */

import { endpointOfUrl } from '../../client/dial/relay-url.ts'
import type { CommandIo } from '../command-io.ts'
import { authoritiesWith, trustSystem } from '../trust.ts'
import { clientsUrl, readClientsPage } from './clients/clients-page.ts'
import { clientsText } from './clients/clients-text.ts'
import { getPage } from './clients/get-page.ts'
import { collect, readCount } from './option-values.ts'
import { readPin, readRelayUrl } from './relay/relay-address.ts'
import type { AddSubcommand } from './subcommand.ts'

const TIMEOUT_MS = 15_000

interface ClientsFlags {
  readonly ip?: string
  readonly cidr?: string
  readonly key?: string
  readonly app?: string[]
  readonly sort?: string
  readonly limit?: number
  readonly ca?: string
  readonly pin?: string
  readonly token?: string
  readonly json?: boolean
}

export const addClients: AddSubcommand = (parent, { io }) => {
  parent
    .command('clients')
    .description('show who uses a relay, from its page /debug/clients/')
    .argument('<relay>', 'host or URL of a relay')
    .option('--ip <address>', 'only clients from this address')
    .option('--cidr <range>', 'only clients from these addresses, such as 192.0.2.0/24')
    .option('--key <nodekey>', 'only connections of this client')
    .option('--app <name>', 'only clients with this app name; repeatable', collect)
    .option('--sort <field>', 'key, ip, conn, connected, rx, tx, rxpkts, txpkts or held; with - in front descending')
    .option('--limit <number>', 'show at most so many (default: 100, at most 1000)', readCount)
    .option('--ca <file>', 'PEM file with additional CAs that your clients trust')
    .option('--pin <hash>', 'SHA-256 of the pinned certificate, as in CertName of a map')
    .option('--token <token>', "the relay's debug key, which opens the page from anywhere (TS_DEBUG_KEY_PATH)")
    .option('--json', 'print JSON, as the relay sends it')
    .action(async (relay: string, flags: ClientsFlags) => show(readRelayUrl(relay), flags, io))
}

async function show(relay: URL, flags: ClientsFlags, io: CommandIo): Promise<void> {
  const { ca, pin, token: debugKey, json, ...wish } = flags
  const endpoint = endpointOfUrl(clientsUrl(relay, { ...wish, debugKey }), { pin: readPin(pin) })
  await trustSystem(io.env, problem => io.err(`derp: ${problem}\n`))
  const authorities = ca === undefined ? undefined : await authoritiesWith(ca)
  const signal = AbortSignal.any([io.ended, AbortSignal.timeout(TIMEOUT_MS)])
  const { status, body } = await getPage({ endpoint, authorities, signal })
  const page = readClientsPage(relay.host, status, body)
  await io.out(json ? body : clientsText(page))
}
