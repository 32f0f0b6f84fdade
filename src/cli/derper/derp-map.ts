/** `derper derp-map`: prints the DERP map for the relay that these flags would run, without starting it. */

import { X509Certificate } from 'node:crypto'
import type { DaemonSettings, TlsSettings } from '../../daemon/settings.ts'
import type { DERPNode } from '../../derpmap/types.ts'
import { DerpError } from '../../lib/derp-error.ts'
import { STUN_PORT } from '../../stun/constants.ts'
import { checkManualFiles } from '../../tls/files/manual-certs.ts'
import { mapNode } from '../../tls/map-node.ts'
import { buildMap, DEFAULT_NAMING, parseRegionId } from '../derp-map/build-map.ts'
import { formatDerpMap, MAP_FORMATS, parseMapFormat } from '../derp-map/map-formats.ts'
import type { FlagSpec, FlagValues } from '../go-flags.ts'
import type { DerperFlagValues } from './derper-flags.ts'
import { readSettings } from './derper-settings.ts'

/** Flags of this subcommand, beside those of the daemon. */
export const DERP_MAP_FLAGS: { readonly [K in 'for' | 'region-id' | 'region-code' | 'region-name']: StringFlag } = {
  for: { kind: 'string', default: 'json', help: `output format: ${MAP_FORMATS.join(', ')}` },
  'region-id': { kind: 'string', default: String(DEFAULT_NAMING.id), help: 'region ID' },
  'region-code': { kind: 'string', default: DEFAULT_NAMING.code, help: 'region code, a short name' },
  'region-name': { kind: 'string', default: DEFAULT_NAMING.name, help: 'region name, shown to users' },
}

type StringFlag = FlagSpec & { readonly kind: 'string' }
type Flags = DerperFlagValues & FlagValues<typeof DERP_MAP_FLAGS>
type OwnNode = Omit<DERPNode, 'Name' | 'RegionID'>

/** The text to print. @throws DerpError when the flags do not say how clients reach the relay. */
export async function derpMapText(flags: Flags, given: ReadonlySet<string>, env: NodeJS.ProcessEnv): Promise<string> {
  const format = parseMapFormat(flags.for)
  const settings = await readSettings(flags, given, env)
  const notes: string[] = []
  const node = { ...(await hostOf(settings, flags.hostname, notes)), ...servicesOf(settings) }
  const [id, code, name] = [parseRegionId(flags['region-id']), flags['region-code'], flags['region-name']]
  return formatDerpMap(buildMap([node], { ...DEFAULT_NAMING, id, code, name }), format, notes)
}

async function hostOf(
  { tls, listen: { address } }: DaemonSettings,
  hostname: string,
  notes: string[],
): Promise<OwnNode> {
  if (tls === undefined) return behindProxy(hostname, notes)
  if (address.port === 0) throw impossible('-a 0 picks the port at start; set a port')
  const port = address.port === 443 ? {} : { DERPPort: address.port }
  if (tls.acme !== undefined) return { HostName: tls.hostname, ...port }
  return { HostName: tls.hostname, ...(await pinOf(tls, notes)), ...port }
}

function behindProxy(hostname: string, notes: string[]): OwnNode {
  if (hostname === '')
    throw impossible('clients require TLS; set -tls, or set -hostname to the name that a TLS proxy serves')
  notes.push(`This relay serves plain HTTP: a proxy must terminate TLS for ${hostname} on port 443.`)
  return { HostName: hostname }
}

/** No client trusts a self-signed certificate unless the map pins it. */
async function pinOf(tls: TlsSettings, notes: string[]): Promise<Pick<OwnNode, 'CertName'>> {
  const found = await checkManualFiles(tls)
  if (found === undefined)
    throw impossible(`there is no certificate for ${tls.hostname} yet; start derper once to generate it`)
  const certificate = new X509Certificate(found.certificate)
  if (!certificate.verify(certificate.publicKey)) return {}
  const until = certificate.validToDate.toISOString().slice(0, 10)
  notes.push(`The pinned certificate expires on ${until}; update the pin when you replace it.`)
  const { CertName } = mapNode(tls.hostname, certificate)
  return CertName === undefined ? {} : { CertName }
}

function servicesOf({ stun, relay, tls }: DaemonSettings): Partial<OwnNode> {
  const stunPort = stun?.port ?? -1
  return {
    ...(stunPort !== STUN_PORT && { STUNPort: stunPort }),
    ...(relay.derp === false && { STUNOnly: true }),
    ...(tls?.httpPort === 80 && { CanPort80: true }),
  }
}

function impossible(reason: string): DerpError {
  return new DerpError('ERR_DERP_CONFIG_INVALID', `generate DERP map: ${reason}`)
}
