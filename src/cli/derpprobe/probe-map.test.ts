import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { systemClock } from '../../lib/clock.ts'
import { MapUnreachableError } from '../../monitor/ports.ts'
import type { FetchBytes } from '../../monitor/revocation/revocation-checker.ts'
import { fetchProbeMap } from './probe-map.ts'

const directory = mkdtempSync(join(tmpdir(), 'probe-map-'))
afterAll(() => rmSync(directory, { recursive: true }))

const signal = new AbortController().signal
const node = { Name: '1a', RegionID: 1, HostName: 'relay.test' }
const region = { RegionID: 1, RegionCode: 'lab', RegionName: 'Lab', Nodes: [node] }
const TEXT = JSON.stringify({ Regions: { 1: region } })

const answering =
  (status: number, text = TEXT): FetchBytes =>
  async () => ({ status, body: new TextEncoder().encode(text) })
const portsOf = (fetchBytes: FetchBytes) => ({ clock: systemClock, fetchBytes })
const fromUrl = (fetchBytes: FetchBytes) => fetchProbeMap('https://control.test/map', portsOf(fetchBytes), signal)

test('fetchProbeMap reads a map from a URL, a file URL and a file', async () => {
  const path = join(directory, 'map.json')
  writeFileSync(path, TEXT)
  const sources = ['https://control.test/map', `file://${path}`, path]
  for (const source of sources) {
    expect(await fetchProbeMap(source, portsOf(answering(200)), signal)).toEqual({
      map: { Regions: { 1: region } },
      problem: undefined,
    })
  }
})

test('fetchProbeMap names a file that cannot be read', async () => {
  const absent = join(directory, 'absent.json')
  const fetching = fetchProbeMap(absent, portsOf(answering(200)), signal)
  await expect(fetching).rejects.toThrow(`read DERP map ${absent}: ENOENT`)
  await expect(fetching).rejects.toThrow('; name a readable file, an http, https or file URL, or local')
})

test('fetchProbeMap tells a host that does not answer from an answer that is no map', async () => {
  const unreachable = fromUrl(() => Promise.reject(new Error('connection refused')))
  await expect(unreachable).rejects.toThrow(MapUnreachableError)
  await expect(unreachable).rejects.toThrow('fetch DERP map https://control.test/map: connection refused')
  const refused = fromUrl(answering(503))
  await expect(refused).rejects.toThrow('fetch DERP map https://control.test/map: status 503')
  await expect(refused).rejects.not.toThrow(MapUnreachableError)
  await expect(fromUrl(answering(200, '{'))).rejects.toThrow('read DERP map https://control.test/map: not JSON')
})

test('fetchProbeMap tells of nodes that had to be left out', async () => {
  const nodes = [node, { Name: '1b', RegionID: 1, HostName: 'https://relay.test' }]
  const { map, problem } = await fromUrl(answering(200, JSON.stringify({ regions: { 1: { ...region, nodes } } })))
  expect(map.Regions?.[1]?.Nodes).toEqual([node])
  expect(problem).toMatch(
    /^nodes left out of the DERP map: 1; .*Regions\.1\.Nodes\[1\]\.HostName is "https:.*; "derp map lint" tells more$/,
  )
  const unknown = await fromUrl(answering(200, JSON.stringify({ Regions: { 1: { ...region, Newer: true } } })))
  expect(unknown.problem).toBeUndefined()
})

test('fetchProbeMap asks the local tailscaled for its map', async () => {
  const daemonSocket = join(directory, 'tailscaled.sock')
  const ask = () => fetchProbeMap('local', { ...portsOf(answering(500)), daemonSocket }, signal)
  await expect(ask()).rejects.toThrow(`ask tailscaled at ${daemonSocket} for its DERP map: `)
  const asked: (string | undefined)[] = []
  let status = 200
  const daemon = createServer((request, response) => {
    asked.push(request.url)
    response.writeHead(status).end(status === 200 ? TEXT : 'access denied')
  }).listen(daemonSocket)
  await once(daemon, 'listening')
  expect((await ask()).map.Regions?.[1]?.RegionCode).toBe('lab')
  expect(asked).toEqual(['/localapi/v0/derpmap'])
  status = 403
  await expect(ask()).rejects.toThrow('status 403: access denied')
  daemon.close()
})
