import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { causeOf, OWN_CAUSES, type OwnCauseId } from './cause.ts'
import { isInterceptor, proxyKind } from './proxy-kind.ts'

const ids = Object.keys(OWN_CAUSES) as OwnCauseId[]

test('each cause is used by a step and covered by a test', () => {
  const texts = (pattern: string, cwd: string) =>
    globSync(pattern, { cwd }).map(path => readFileSync(join(cwd, path), 'utf8'))
  const steps = texts('**/*.ts', import.meta.dirname)
    .filter(text => !text.includes('export const OWN_CAUSES'))
    .join()
  const tests = texts('doctor-*.test.ts', join(import.meta.dirname, '../../test/integration')).join()
  expect(ids.filter(id => !steps.includes(`'${id}'`))).toEqual([])
  expect(ids.filter(id => !new RegExp(`[: ]${id}'`).test(tests))).toEqual([])
})

test('texts have no final period', () => {
  expect(ids.map(causeOf).filter(({ sentence, fix }) => [sentence, fix].some(text => text.endsWith('.')))).toEqual([])
  expect(causeOf('expired')).toMatchObject({ id: 'expired', sentence: 'the certificate has expired' })
})

test.each([
  [{ server: 'nginx/1.27.0' }, 'nginx'],
  [{ server: 'cloudflare', 'cf-ray': '1' }, 'Cloudflare'],
  [{ via: '1.1 Caddy' }, 'Caddy'],
  [{ via: '1.1 varnish (Varnish/7.4)' }, 'Varnish'],
  [{ server: 'awselb/2.0' }, 'AWS load balancer'],
  [{ via: '1.1 edge' }, 'a proxy that calls itself "1.1 edge"'],
  [{}, undefined],
])('a response with %o is from %s', (headers, kind) => {
  expect(proxyKind(new Map(Object.entries(headers)))).toBe(kind)
})

test('isInterceptor recognises TLS inspection proxies, and no public CA', () => {
  expect(isInterceptor('CN=FGT60F\nO=Fortinet')).toBe(true)
  expect(isInterceptor("C=US\nO=Let's Encrypt\nCN=R11")).toBe(false)
  expect(isInterceptor('O=Internet Security Research Group\nCN=Reset Root')).toBe(false)
})
