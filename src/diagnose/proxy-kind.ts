/** Identifies a proxy by its response headers. Pure. */

type Headers = ReadonlyMap<string, string>

/** A header that identifies a kind of proxy, and a pattern for its value. */
type Mark = readonly [header: string, value: RegExp, kind: string]

const MARKS: readonly Mark[] = [
  ['cf-ray', /./, 'Cloudflare'],
  ['server', /cloudflare/i, 'Cloudflare'],
  ['x-amz-cf-id', /./, 'Amazon CloudFront'],
  ['server', /awselb/i, 'AWS load balancer'],
  ['x-azure-ref', /./, 'Azure Front Door'],
  ['server', /microsoft-azure-application-gateway/i, 'Azure Application Gateway'],
  ['server', /akamaighost/i, 'Akamai'],
  ['x-served-by', /^cache-/i, 'Fastly'],
  ['fly-request-id', /./, 'Fly.io'],
  ['x-vercel-id', /./, 'Vercel'],
  ['via', /\bgoogle\b/i, 'Google Cloud load balancer'],
  ['via', /varnish/i, 'Varnish'],
  ['x-varnish', /./, 'Varnish'],
  ['via', /squid/i, 'Squid'],
  ['x-squid-error', /./, 'Squid'],
  ['via', /caddy/i, 'Caddy'],
  ['server', /caddy/i, 'Caddy'],
  ['server', /openresty/i, 'nginx (OpenResty)'],
  ['server', /nginx/i, 'nginx'],
  ['server', /apache/i, 'Apache'],
  ['server', /envoy/i, 'Envoy'],
  ['x-envoy-upstream-service-time', /./, 'Envoy'],
  ['server', /haproxy/i, 'HAProxy'],
  ['server', /traefik/i, 'Traefik'],
  ['server', /litespeed/i, 'LiteSpeed'],
  ['server', /microsoft-iis/i, 'IIS'],
]

/** The kind of proxy; undefined if there is no sign of one. */
export function proxyKind(headers: Headers): string | undefined {
  const mark = MARKS.find(([header, value]) => value.test(headers.get(header) ?? ''))
  if (mark !== undefined) return mark[2]
  const via = headers.get('via')
  return via === undefined ? undefined : `a proxy that calls itself "${via.slice(0, 60)}"`
}

/** Issuer names of TLS inspection products. */
const INTERCEPTORS =
  /\b(?:zscaler|fortinet|fortigate|blue ?coat|palo alto|netskope|sophos|kaspersky|avast|avg|eset|bitdefender|mitmproxy|portswigger|charles proxy|fiddler|cisco umbrella|mcafee|forcepoint|websense|check ?point|sonicwall|watchguard|untangle|squid|barracuda|smoothwall|lightspeed|securly|contentkeeper|cloudflare gateway|cloudflare for teams)\b/i

/** Whether a certificate was issued by a TLS inspection proxy. */
export function isInterceptor(issuer: string): boolean {
  return INTERCEPTORS.test(issuer)
}
