import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { main } from '../../src/cli/derp/derp.ts'
import { surveyRelay } from '../../src/cli/derp-map/relay-survey.ts'
import { serveNoContent } from '../../src/http/handler.ts'
import { createStunServer, type StunServer } from '../../src/stun/server.ts'
import { createSelfSigned } from '../../src/tls/x509.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { listenOnLoopback } from '../support/socket-server.ts'
import { TestCa } from '../support/test-ca.ts'
import { testIo } from '../support/test-io.ts'

const directory = mkdtempSync(join(tmpdir(), 'derp-map-make-'))
const DAY_MS = 86_400_000

let ca: TestCa
let named: ListeningRelay
let selfSigned: ListeningRelay
let stun: StunServer
let stunPort: number

beforeAll(async () => {
  ca = await TestCa.create()
  writeFileSync(join(directory, 'ca.pem'), ca.certificate)
  named = await ListeningRelay.start({
    tls: { hostname: 'localhost', certificate: await ca.issue({ dns: ['localhost'] }) },
  })
  const certificate = await createSelfSigned({
    commonName: '127.0.0.1',
    keyType: 'P-256',
    serialHex: '0102',
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    serverIp: '127.0.0.1',
  })
  selfSigned = await ListeningRelay.start({ tls: { hostname: '127.0.0.1', certificate } })
  stun = createStunServer({ port: 0, host: '127.0.0.1' })
  stunPort = (await stun.listen()).port
})
afterAll(async () => {
  await named[Symbol.asyncDispose]()
  await selfSigned[Symbol.asyncDispose]()
  await stun.close()
  rmSync(directory, { recursive: true })
})

async function make(...args: string[]) {
  const io = testIo()
  const code = await main(['map', 'make', ...args], io)
  return { code, stdout: io.stdout, stderr: io.stderr }
}

describe('derp map make', () => {
  test('probes relays and pins self-signed certificates', async () => {
    const relays = [`localhost:${named.port}`, `https://127.0.0.1:${selfSigned.port}/derp`]
    const flags = [
      '--stun-port',
      String(stunPort),
      '--region-id',
      '910',
      '--region-code',
      'lab',
      '--region-name',
      'Lab',
    ]
    const alone = await make('--for', 'json', ...flags, String(relays[1]))
    expect(alone.code).toBe(0)
    const until = new Date(Date.now() + DAY_MS).toISOString().slice(0, 10)
    expect(alone.stderr).toBe(
      `derp: 127.0.0.1: the pinned certificate expires on ${until}; update the pin when you replace it\n`,
    )
    expect(JSON.parse(alone.stdout)).toEqual({
      Regions: {
        910: {
          RegionID: 910,
          RegionCode: 'lab',
          RegionName: 'Lab',
          Nodes: [
            {
              Name: '910a',
              RegionID: 910,
              HostName: '127.0.0.1',
              DERPPort: selfSigned.port,
              CertName: expect.stringMatching(/^sha256-raw:[0-9a-f]{64}$/),
              STUNPort: stunPort,
            },
          ],
        },
      },
    })
    const refused = await make('--for', 'json', '--ca', join(directory, 'ca.pem'), ...flags, ...relays)
    expect(refused).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        /check node 127\.0\.0\.1: its certificate is not signed by a CA of .*ca\.pem; pass the CA/,
      ),
    })
  })

  test('does not pin a certificate of the given CA, and notes that clients must install it', async () => {
    const { code, stdout } = await make(
      '--for',
      'tailscale',
      '--ca',
      join(directory, 'ca.pem'),
      '--stun-port',
      String(stunPort),
      `localhost:${named.port}`,
    )
    expect(code).toBe(0)
    expect(stdout).toContain('// localhost: every client must have the CA of ')
    expect(stdout).not.toContain('CertName')
  })
})

test('sets STUNPort -1 without STUN, and CanPort80 if port 80 responds', async () => {
  await using web = await listenOnLoopback(createServer((request, response) => serveNoContent(request, response)))
  const silent = await listenOnLoopback(createServer())
  await silent[Symbol.asyncDispose]()
  const target = { host: '127.0.0.1', port: selfSigned.port }
  const survey = await surveyRelay(target, { stunPort: silent.port, stunTimeoutMs: 1_000, plainPort: web.port })
  expect(survey.node).toMatchObject({ STUNPort: -1, CanPort80: true })
  expect(survey.notes).toContainEqual(expect.stringContaining(`no STUN response on UDP port ${silent.port}`))
})

test('reports a wrong name and a closed port', async () => {
  const nobody = await surveyRelay({ host: '127.0.0.1', port: 1 }, { stunTimeoutMs: 200 }).catch(
    (error: Error) => error.message,
  )
  expect(nobody).toMatch(/127\.0\.0\.1.*ECONNREFUSED/)
  const { code, stderr } = await make('--for', 'json', `127.0.0.1:${named.port}`)
  expect([code, stderr]).toEqual([1, expect.stringContaining('secure connection to 127.0.0.1')])
})
