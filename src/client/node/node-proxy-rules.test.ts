import { expect, test } from 'vitest'
import { ProxyRules } from './node-proxy-rules.ts'

const PROXY = 'http://proxy.test:3128'

/** Whether a TLS connection to `host` and `port` uses the proxy despite `noProxy`. */
const isProxied = (noProxy: string, host: string, port = 443) =>
  new ProxyRules({ HTTPS_PROXY: PROXY, NO_PROXY: noProxy }).proxyFor({ scheme: 'https', host, port }) !== undefined

test('ProxyRules use one proxy per scheme, from variables in either case (P-224)', () => {
  const hrefFor = (env: Record<string, string | undefined>, scheme: 'http' | 'https') =>
    new ProxyRules(env).proxyFor({ scheme, host: 'relay.test', port: 80 })?.href
  const env = { HTTP_PROXY: 'http://a.test', https_proxy: 'https://b.test:1', PATH: '/bin' }
  expect([hrefFor(env, 'http'), hrefFor(env, 'https')]).toEqual(['http://a.test/', 'https://b.test:1/'])
  expect(hrefFor({ HTTPS_PROXY: 'http://upper.test', https_proxy: 'http://lower.test' }, 'https')).toBe(
    'http://upper.test/',
  )
  expect(hrefFor({ HTTPS_PROXY: '', https_proxy: 'http://lower.test' }, 'https')).toBe('http://lower.test/')
  expect(hrefFor({ HTTP_PROXY: 'http://a.test' }, 'https')).toBeUndefined()
  expect(hrefFor({ https_proxy: undefined }, 'https')).toBeUndefined()
})

test.each([
  ['proxy.test', 'http://proxy.test/'],
  ['proxy.test:3128', 'http://proxy.test:3128/'],
  [' http://me:secret@proxy.test ', 'http://me:secret@proxy.test/'],
  ['[::1]:3128', 'http://[::1]:3128/'],
])('ProxyRules read the proxy %j as %s (P-224)', (value, href) => {
  const rules = new ProxyRules({ HTTPS_PROXY: value })
  expect(rules.proxyFor({ scheme: 'https', host: 'relay.test', port: 443 })?.href).toBe(href)
})

test.each([
  [
    'socks5://me:secret@proxy.test',
    'set proxy HTTPS_PROXY to socks5://proxy.test: scheme socks5 is neither http nor https',
  ],
  ['http://', 'set proxy HTTPS_PROXY to "http://": not a URL'],
  ['http://me:sec@ret@pro xy', 'set proxy HTTPS_PROXY to "pro xy": not a URL'],
])('ProxyRules refuse the proxy %j and show no password (P-224)', (value, message) => {
  expect(() => new ProxyRules({ HTTPS_PROXY: value })).toThrow(
    expect.objectContaining({ code: 'ERR_DERP_CONFIG_INVALID', message }),
  )
})

test.each<[noProxy: string, proxied: readonly string[], direct: readonly string[]]>([
  ['', ['relay.test', '192.0.2.1'], ['localhost', 'LOCALHOST.', '127.0.0.1', '127.1.2.3', '::1']],
  ['*', [], ['relay.test', '192.0.2.1']],
  ['other.test, * ,', [], ['relay.test']],
  ['relay.test', ['other.test', 'myrelay.test'], ['relay.test', 'RELAY.test', 'relay.test.', 'a.b.relay.test']],
  ['.relay.test', ['relay.test', 'myrelay.test'], ['a.relay.test']],
  ['*.relay.test', ['relay.test'], ['a.relay.test']],
  ['relay.test:443', [], ['relay.test', 'a.relay.test']],
  ['relay.test:444', ['relay.test', 'a.relay.test'], []],
  ['192.0.2.1', ['192.0.2.2', 'x.192.0.2.1'], ['192.0.2.1']],
  ['192.0.2.1:443', [], ['192.0.2.1']],
  ['192.0.2.1:80', ['192.0.2.1'], []],
  ['192.0.2.0/24', ['192.0.3.1', 'relay.test'], ['192.0.2.200']],
  ['0.0.0.0/0', ['2001:db8::1'], ['192.0.2.200']],
  ['2001:db8::1', ['2001:db8::2'], ['2001:db8::1', '2001:DB8:0::1']],
  ['[2001:db8::1]:443', [], ['2001:db8::1']],
  ['[2001:db8::1]:80', ['2001:db8::1'], []],
  ['2001:db8::/32', ['2001:db9::1'], ['2001:db8:1::1']],
  ['bücher.test', ['bucher.test'], ['xn--bcher-kva.test', 'bücher.test']],
  ['.', ['relay.test'], []],
  [':443,/24,192.0.2.0/99,[x,http://relay.test', ['relay.test', '192.0.2.1'], []],
])('NO_PROXY %j sends %j through the proxy and not %j (P-224)', (noProxy, proxied, direct) => {
  expect(proxied.filter(host => !isProxied(noProxy, host))).toEqual([])
  expect(direct.filter(host => isProxied(noProxy, host))).toEqual([])
})
