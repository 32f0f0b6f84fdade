import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createSelfSigned } from '../../tls/x509.ts'
import { lintDocument } from '../derp/map/lint.ts'
import { readMapDocument } from '../derp-map/map-document.ts'
import { readFlags } from '../flag-sources.ts'
import { DERP_MAP_FLAGS, derpMapText } from './derp-map.ts'
import { DERPER_FLAGS } from './derper-flags.ts'

const directory = mkdtempSync(join(tmpdir(), 'derper-derp-map-'))
afterAll(() => rmSync(directory, { recursive: true }))

async function write(...args: string[]): Promise<string> {
  const table = { ...DERPER_FLAGS, ...DERP_MAP_FLAGS }
  const { values, given } = await readFlags('derper', table, { args, env: {} })
  return derpMapText(values, given, { HOME: directory })
}

async function nodeOf(...args: string[]): Promise<unknown> {
  const text = await write('-for', 'json', ...args)
  expect(lintDocument(readMapDocument(text)).filter(({ severity }) => severity === 'error')).toEqual([])
  return JSON.parse(text).Regions[900].Nodes[0]
}

const ACME = ['-certmode', 'letsencrypt', '-hostname', 'relay.example']
const RELAY = { Name: '900a', RegionID: 900, HostName: 'relay.example' }

test('derper derp-map describes the configured relay', async () => {
  expect(await nodeOf(...ACME, '-a', ':443')).toEqual({ ...RELAY, CanPort80: true })
  expect(await nodeOf(...ACME, '-tls', '-a', ':8443', '-http-port', '-1', '-stun-port', '3479')).toEqual({
    ...RELAY,
    DERPPort: 8443,
    STUNPort: 3479,
  })
  expect(await nodeOf(...ACME, '-http-port', '8080', '-stun=false')).toEqual({ ...RELAY, STUNPort: -1 })
})

test('uses the given region ID, code and name', async () => {
  const names = ['-region-id', '907', '-region-code', 'lab', '-region-name', 'The lab']
  expect(await write('-for', 'headscale', ...ACME, ...names)).toContain(`
regions:
  907:
    regionid: 907
    regioncode: lab
    regionname: The lab
    nodes:
      - name: 907a
        regionid: 907
        hostname: relay.example
`)
})

test('pins a self-signed certificate, and fails if it does not exist yet', async () => {
  const flags = [
    '-certmode',
    'manual',
    '-hostname',
    '192.0.2.7',
    '-certdir',
    directory,
    '-a',
    ':443',
    '-http-port',
    '-1',
  ]
  await expect(write(...flags)).rejects.toThrow('there is no certificate for 192.0.2.7 yet; start derper once')
  const pair = await createSelfSigned({
    commonName: '192.0.2.7',
    keyType: 'P-256',
    serialHex: '01',
    notBefore: new Date(Date.now() - 1_000),
    notAfter: new Date(Date.now() + 86_400_000),
    serverIp: '192.0.2.7',
  })
  writeFileSync(join(directory, '192.0.2.7.crt'), pair.certificate)
  writeFileSync(join(directory, '192.0.2.7.key'), pair.key)
  expect(await nodeOf(...flags)).toMatchObject({ CertName: expect.stringMatching(/^sha256-raw:[0-9a-f]{64}$/) })
  expect(await write('-for', 'tailscale', ...flags)).toContain('// The pinned certificate expires on ')
})

test('plain HTTP requires the host name of a TLS proxy', async () => {
  await expect(write('-a', ':3340')).rejects.toThrow('clients require TLS; set -tls, or set -hostname')
  expect(await write('-a', ':3340', '-hostname', 'relay.example', '-for', 'yaml')).toMatch(
    /^# This relay serves plain HTTP: a proxy must terminate TLS for relay\.example on port 443\.\n/,
  )
})
