import { expect, test } from 'vitest'
import { BROWSER_HEADERS } from '../../http/pages/browser-headers.ts'
import type { HttpRequest } from '../../listen/http-service.ts'
import { Readiness } from '../../status/readiness.ts'
import { createHomePages, type HomePageOptions } from './home-pages.ts'

const OPTIONS: HomePageOptions = {
  readiness: new Readiness(),
  allows: () => false,
  address: { hostname: '', stunPort: 3_478, canPort80: false },
  derp: true,
  hasStatusToken: () => false,
  hasDemo: false,
}

const failing = (reason: string, degradesOnly = false) =>
  new Readiness([{ name: 'mesh', problem: () => reason, degradesOnly }])

async function homeOf(options: Partial<HomePageOptions>, host = 'relay.test') {
  const pages = createHomePages({ ...OPTIONS, ...options })
  const request: HttpRequest = {
    method: 'GET',
    target: '/',
    version: '1.1',
    headers: { host: [host] },
    remote: undefined,
    left: new AbortController().signal,
    isSecure: true,
    readText: async () => '',
  }
  const reply = await pages.get('/')?.(request)
  return { ...reply, html: reply?.body as string }
}

test('the home page has the security headers, and says what this is and that it works (P-163, P-165)', async () => {
  const { status, headers, html } = await homeOf({})
  expect(status).toBe(200)
  expect(headers).toMatchObject(BROWSER_HEADERS)
  expect(html).toContain('This is a DERP server')
  expect(html).toContain('It works')
  expect(html).toContain('&#34;HostName&#34;: &#34;relay.test&#34;')
  expect(html).not.toContain('/debug/')
})

test('the home page tells visitors what does not work, and those with debug access why (P-163)', async () => {
  const seen = await homeOf({ readiness: failing('no link to <b>', true) })
  expect(seen.html).toContain('class="degraded"')
  expect(seen.html).toContain('<li>mesh</li>')
  const operator = await homeOf({ readiness: failing('no link to <b>'), allows: () => true })
  expect(operator.html).toContain('class="failing"')
  expect(operator.html).toContain('<li>mesh: no link to &lt;b&gt;</li>')
  const unknown = await homeOf({ readiness: { report: () => Promise.reject(new Error('gone')) } })
  expect(unknown.html).toContain('<li>readiness</li>')
})

test('the home page shows links to visitors with access only, and says if the relay is disabled (P-169)', async () => {
  const linksOf = async (options: Partial<HomePageOptions>) =>
    (await homeOf(options)).html.match(/(?<=href=")\/debug\/[^"]*/g) ?? []
  expect(await linksOf({ hasStatusToken: () => true })).toEqual(['/debug/status'])
  expect(await linksOf({ allows: () => true })).toEqual(['/debug/status', '/debug/', '/debug/clients', '/debug/varz'])
  expect((await homeOf({ hasDemo: true })).html).toContain('href="/demo"')
  const { html } = await homeOf({ derp: false })
  expect(html).toContain('Status: disabled')
  expect(html).not.toContain('<script')
})

test('the home page shows a strange host as text, or none', async () => {
  expect((await homeOf({}, '"><script>')).html).not.toContain('"><script>')
})
