/** What settings come to, in words, for `derper check-config`. Pure. */

import type { AdmissionSettings } from '../../admission/create-admission.ts'
import { formatListenAddress } from '../../daemon/listen-address.ts'
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

/** A topic, and what is planned for it. */
export type PlanLine = readonly [topic: string, text: string]

/** One line for each topic, in the order of the help text. */
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
    ['STUN', stun === undefined ? 'off' : `${at(stun.port)}/udp, ${stunPlan(stun)}`],
    ['admission', admissionPlan(settings.admission)],
    [
      'mesh',
      mesh.key === undefined
        ? 'off: no mesh key'
        : `links to ${mesh.peers.map(({ host }) => host).join(', ') || 'nobody'}`,
    ],
    ['bootstrap DNS', namesPlan(settings.bootstrapDns)],
    ['connections', connectionsPlan(settings)],
    ['limits', limitsPlan(relay)],
    ['metrics', metricsPlan(settings.metrics)],
    ['ending', endingPlan(settings.drain)],
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
  const addresses = ipCerts ? `, and for addresses ${ipAddresses.join(', ') || 'that are not known'}` : ''
  const ways = challengeTypes === undefined ? '' : `, proven by ${challengeTypes.join(', ')} only`
  return `from ${authority}${addresses}${ways}, kept in ${directory}`
}

function stunPlan({ plain, sourceLimit }: StunSettings): string {
  const whom = plain ? 'for any STUN client' : 'for nodes only'
  if (sourceLimit === undefined) return `${whom}, without limit`
  return `${whom}, ${sourceLimit.perSecond} answers per second and source, ${sourceLimit.burst} at once`
}

function admissionPlan(settings: AdmissionSettings): string {
  const { deniedAppNames = [], denyKeysFile, allowKeysFile, tokensFile, daemonSocket, url, urlFailOpen } = settings
  const denied = parts(
    deniedAppNames.length > 0 && `no application ${deniedAppNames.join(', ')}`,
    denyKeysFile && `no key of ${denyKeysFile}`,
  )
  const sources = parts(
    daemonSocket !== undefined && `nodes that tailscaled at ${daemonSocket || 'its usual socket'} knows`,
    // The rest of it may be secret.
    url &&
      `clients that ${URL.parse(url)?.host} agrees to (${urlFailOpen === true ? 'all' : 'none'} when it is out of reach)`,
  )
  const ways = parts(
    allowKeysFile && `keys of ${allowKeysFile}`,
    tokensFile && `tokens of ${tokensFile}`,
    sources.length > 0 && sources.join(' and '),
  )
  if (ways.length === 0) return [...denied, 'everybody'].join('; else ')
  return [...denied, `only ${ways.join(', or ')}`].join('; ')
}

function namesPlan({ published, unpublished }: BootstrapDnsSettings): string {
  if (published === '' && unpublished === '') return 'off'
  return `${published || 'none'} for everybody, ${unpublished || 'none'} for whoever asks`
}

function connectionsPlan({ listen, relay }: DaemonSettings): string {
  const { maxConnections, maxConnectionsPerSource, rate, sourceRate } = listen.limits
  const { maxClients = 0 } = relay
  return parts(
    `${maxConnections ?? 'any number'} at once`,
    maxConnectionsPerSource !== undefined && `${maxConnectionsPerSource} of each source`,
    rate && `${rate.perSecond} new ones per second and listener`,
    sourceRate && `${sourceRate.perSecond} new ones per second and source`,
    maxClients > 0 && `${maxClients} clients`,
  ).join(', ')
}

function limitsPlan({ rateLimit, writeTimeoutMs = 0 }: RelaySettings): string {
  const rate = rateLimit === undefined ? 'no rate limit' : `${rateLimit.bytesPerSecond} bytes per second and client`
  return `${rate}, ${writeTimeoutMs === 0 ? 'no write timeout' : `writes time out after ${formatDuration(writeTimeoutMs)}`}`
}

/** The texts that there are. */
function parts(...texts: (string | false | undefined)[]): string[] {
  return texts.filter(text => typeof text === 'string')
}

function metricsPlan(metrics: MetricsSettings | undefined): string {
  if (metrics === undefined) return 'below /debug/ only'
  const { token, ranges } = metrics.access
  const whom = [token === undefined ? [] : ['bearers of the token'], ranges === undefined ? [] : ['listed addresses']]
  return `on ${formatListenAddress(metrics.address)} for ${whom.flat().join(' and ') || 'this machine'}`
}

function endingPlan({ delayMs, spreadMs, deadlineMs }: DrainSettings): string {
  const steps = `clients are taken for ${formatDuration(delayMs)} more and sent away within ${formatDuration(spreadMs)}`
  return `${steps}, all is over after ${formatDuration(deadlineMs)}`
}

function accountPlan({ account }: DaemonSettings): PlanLine[] {
  return account === undefined ? [] : [['runs as', `user ${account.uid} and group ${account.gid}`]]
}
