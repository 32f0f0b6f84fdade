/** Describes the resulting configuration, for `derper check-config`. Pure. */

import type { AdmissionSettings } from '../../admission/create-admission.ts'
import { formatListenAddress } from '../../daemon/listen-address.ts'
import { regionUrl } from '../../daemon/region/region-url.ts'
import type {
  BootstrapDnsSettings,
  DaemonSettings,
  DrainSettings,
  ListenSettings,
  MetricsSettings,
  RelaySettings,
  StunSettings,
  TlsSettings,
} from '../../daemon/settings.ts'
import { formatDuration } from '../../lib/duration.ts'
import { ACME_DIRECTORIES, type AcmeSettings } from '../../tls/acme/acme-settings.ts'

export type PlanLine = readonly [topic: string, text: string]

/** One line per topic, in help text order. */
export function planOf(settings: DaemonSettings): PlanLine[] {
  const { relay, listen, tls, stun, mesh } = settings
  const { address } = listen
  const at = (port: number) => formatListenAddress({ host: address.host, port })
  return [
    ['listener', `${at(address.port)}, ${tls === undefined ? 'plain HTTP' : 'TLS'}`],
    ...(tls === undefined ? [] : tlsPlan(tls, at)),
    ...proxyPlan(listen),
    ...workersPlan(settings),
    ['relay', relay.derp === true ? 'on' : 'off: only the other services run'],
    ['STUN', stun === undefined ? 'off' : stunPlan(stun)],
    ['admission', admissionPlan(settings.admission)],
    [
      'mesh',
      mesh.key === undefined
        ? 'off: no mesh key'
        : `links to ${mesh.peers.map(({ host }) => host).join(', ') || 'none'}`,
    ],
    ...regionPlan(settings),
    ['bootstrap DNS', namesPlan(settings.bootstrapDns)],
    ['connections', connectionsPlan(settings)],
    ['limits', limitsPlan(relay)],
    ['metrics', metricsPlan(settings.metrics)],
    ['shutdown', shutdownPlan(settings.drain)],
    ...upgradePlan(settings),
    ...accountPlan(settings),
  ]
}

function tlsPlan({ hostname, directory, httpPort, acme }: TlsSettings, at: (port: number) => string): PlanLine[] {
  const source = acme === undefined ? `from ${directory}` : acmePlan(acme)
  return [
    ['HTTP beside TLS', httpPort === undefined ? 'off' : at(httpPort)],
    ['certificate', `for ${hostname} ${source}`],
  ]
}

function proxyPlan({ trustedProxies, proxyProtocol }: ListenSettings): PlanLine[] {
  if (trustedProxies === undefined) return []
  const ways = proxyProtocol ? 'PROXY headers and X-Forwarded-For' : 'X-Forwarded-For'
  return [['trusted proxies', `${trustedProxies.join(', ')}, by ${ways}`]]
}

function workersPlan({ workers }: DaemonSettings): PlanLine[] {
  return workers === 1 ? [] : [['workers', `${workers} threads serve clients`]]
}

function acmePlan({ mode, directory, directoryUrl, ipCerts, ipAddresses, challengeTypes }: AcmeSettings): string {
  const authority = directoryUrl || ACME_DIRECTORIES[mode]
  const addresses = ipCerts ? `, and for addresses ${ipAddresses.join(', ') || 'none found'}` : ''
  const ways = challengeTypes === undefined ? '' : `, validated by ${challengeTypes.join(', ')} only`
  return `from ${authority}${addresses}${ways}, stored in ${directory}`
}

function stunPlan({ host, port, plain, sourceLimit }: StunSettings): string {
  const at = `${formatListenAddress({ host, port })}/udp`
  const clients = `${at}, ${plain ? 'any STUN client' : 'nodes only'}`
  if (sourceLimit === undefined) return `${clients}, no rate limit`
  return `${clients}, ${sourceLimit.perSecond} replies per second per source, burst ${sourceLimit.burst}`
}

function admissionPlan(settings: AdmissionSettings): string {
  const { deniedAppNames = [], denyKeysFile, allowKeysFile, tokensFile, daemonSocket, url, urlFailOpen } = settings
  const denied = parts(
    deniedAppNames.length > 0 && `no application named ${deniedAppNames.join(', ')}`,
    denyKeysFile && `no key in ${denyKeysFile}`,
  )
  const sources = parts(
    daemonSocket !== undefined && `nodes known to tailscaled at ${daemonSocket || 'its default socket'}`,
    // The rest of the URL may be secret.
    url &&
      `clients approved by ${URL.parse(url)?.host} (${urlFailOpen === true ? 'all' : 'none'} while it is unreachable)`,
  )
  const ways = parts(
    allowKeysFile && `keys in ${allowKeysFile}`,
    tokensFile && `tokens in ${tokensFile}`,
    sources.length > 0 && sources.join(' and '),
  )
  if (ways.length === 0) return [...denied, 'everyone'].join('; otherwise ')
  return [...denied, `only ${ways.join(', or ')}`].join('; ')
}

function regionPlan({ region, listen, tls }: DaemonSettings): PlanLine[] {
  if (region === undefined) return []
  // The rest of the URLs may be secret.
  const servers = region.servers.map(server => URL.parse(server)?.host).join(', ')
  return [
    ['region', `${region.name}, by NATS at ${servers}, reached at ${regionUrl(region, listen.address.port, tls)}`],
  ]
}

function namesPlan({ published, unpublished }: BootstrapDnsSettings): string {
  if (published === '' && unpublished === '') return 'off'
  return `${published || 'none'} for everyone, ${unpublished || 'none'} on request`
}

function connectionsPlan({ listen, relay }: DaemonSettings): string {
  const { maxConnections, maxConnectionsPerSource, rate, sourceRate } = listen.limits
  const { maxClients = 0 } = relay
  return parts(
    maxConnections === undefined ? 'no limit' : `at most ${maxConnections}`,
    maxConnectionsPerSource !== undefined && `${maxConnectionsPerSource} per source`,
    rate && `${rate.perSecond} new per second per listener`,
    sourceRate && `${sourceRate.perSecond} new per second per source`,
    maxClients > 0 && `${maxClients} clients`,
  ).join(', ')
}

function limitsPlan({ rateLimit, totalRate = 0, maxQueuedBytes = 0, writeTimeoutMs = 0 }: RelaySettings): string {
  const perClient =
    rateLimit === undefined ? 'no rate limit' : `${rateLimit.bytesPerSecond} bytes per second per client`
  const rate = totalRate === 0 ? perClient : `${totalRate} bytes per second in total, ${perClient}`
  const timeout = writeTimeoutMs === 0 ? 'no write timeout' : `writes time out after ${formatDuration(writeTimeoutMs)}`
  return `${rate}, ${timeout}, ${Math.round(maxQueuedBytes / 1e6)} MB for slow readers`
}

function parts(...texts: (string | false | undefined)[]): string[] {
  return texts.filter(text => typeof text === 'string')
}

function metricsPlan(metrics: MetricsSettings | undefined): string {
  if (metrics === undefined) return 'below /debug/ only'
  const { token, ranges } = metrics.access
  const readers = parts(token !== undefined && 'token holders', ranges !== undefined && 'listed addresses')
  return `on ${formatListenAddress(metrics.address)} for ${readers.join(' and ') || 'this machine'}`
}

function shutdownPlan({ delayMs, spreadMs, deadlineMs }: DrainSettings): string {
  const [delay, spread, deadline] = [delayMs, spreadMs, deadlineMs].map(formatDuration)
  return `clients accepted for ${delay}, disconnected within ${spread}, exit after ${deadline}`
}

function upgradePlan({ upgrade }: DaemonSettings): PlanLine[] {
  if (upgrade === undefined) return []
  const { controlSocket, takeOver } = upgrade
  return [['upgrade', `through ${controlSocket}${takeOver ? ', from the derper there if there is one' : ''}`]]
}

function accountPlan({ account }: DaemonSettings): PlanLine[] {
  return account === undefined ? [] : [['runs as', `user ${account.uid} and group ${account.gid}`]]
}
