/** deploy/region: what belongs together has the same names and ports, and derper accepts its environments. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { DERPER_FLAGS } from '../../src/cli/derper/derper-flags.ts'
import { readSettings } from '../../src/cli/derper/derper-settings.ts'
import { readFlags } from '../../src/cli/flag-sources.ts'
import type { DaemonSettings } from '../../src/daemon/settings.ts'
import { lintDerpMap } from '../../src/derpmap/lint/lint.ts'
import { parseDerpMap } from '../../src/derpmap/parse.ts'
import { at, imageEnvironment, type Mapping, readEnvFile, readText, readYaml } from '../support/deploy-files.ts'

const NAME = 'relay.example.com'
const OWN_NAMES = [1, 2, 3].map(n => `relay${n}.example.com`)
const KUBERNETES = 'deploy/region/kubernetes'
const directory = mkdtempSync(join(tmpdir(), 'deploy-region-'))
const meshKeyFile = join(directory, 'mesh.key')
writeFileSync(meshKeyFile, '5eed'.repeat(16))
afterAll(() => rmSync(directory, { recursive: true }))

/** Settings of a relay in the image, with a mesh key that exists. */
async function settingsOf(own: Record<string, string>): Promise<DaemonSettings> {
  const env = { ...imageEnvironment(), ...own, DERPER_MESH_PSK_FILE: meshKeyFile }
  const { values, given } = await readFlags('derper', DERPER_FLAGS, { args: [], env })
  return readSettings(values, given, env)
}

const [compose] = readYaml('deploy/region/compose.yaml') as [Mapping]

test('the composed relays are accepted, and differ in their names only', async () => {
  const proxy = at(compose, 'services.haproxy.networks.region.ipv4_address')
  for (const [n, name] of OWN_NAMES.entries()) {
    const environment = at(compose, `services.relay${n + 1}.environment`) as Record<string, string>
    const settings = await settingsOf(environment)
    expect(settings).toMatchObject({
      listen: { address: { port: 8_443 } },
      tls: { hostname: name, directory: '/secrets' },
      region: { name: 'eu', servers: ['nats://nats1:4222', 'nats://nats2:4222', 'nats://nats3:4222'] },
      mesh: { key: expect.anything() },
    })
    expect(environment).toMatchObject({ DERPER_REGION_URL: `https://${name}:8443/derp`, DERPER_TRUSTED_PROXIES: proxy })
    expect(at(compose, `services.relay${n + 1}.networks.region.aliases`)).toEqual([name])
    const volumes = at(compose, `services.relay${n + 1}.volumes`) as string[]
    expect(volumes).toEqual(['./secrets:/secrets:ro', `relay${n + 1}:/var/lib/derper`])
    const [graceSeconds] = [Number.parseInt(at(compose, `services.relay${n + 1}.stop_grace_period`) as string, 10)]
    expect(graceSeconds).toBeGreaterThan(settings.drain.deadlineMs / 1_000)
  }
  expect(Object.keys(at(compose, 'volumes') as Mapping)).toEqual(['relay1', 'relay2', 'relay3'])
})

test('the composed NATS servers know each other', () => {
  const names = ['nats1', 'nats2', 'nats3']
  for (const name of names) {
    const others = names.filter(other => other !== name).map(other => `nats://${other}:6222`)
    const command = ['-c', '/etc/nats/nats.conf', '--name', name, '--routes', others.join(',')]
    expect(at(compose, `services.${name}`)).toMatchObject({ command, networks: ['region'] })
    expect(at(compose, `services.${name}.volumes`)).toEqual(['./kubernetes/nats.conf:/etc/nats/nats.conf:ro'])
  }
})

test('HAProxy, DNS, the DERP map and compose have the same relays', () => {
  const haproxy = readText('deploy/region/haproxy.cfg')
  const servers = Array.from(haproxy.matchAll(/^ +server (\w+) (\S+)$/gm), ([, name, address]) => [name, address])
  const each = OWN_NAMES.map((name, n) => [`relay${n + 1}`, `${name}:8443`])
  expect(servers).toEqual([...each, ...each])
  const named = Array.from(haproxy.matchAll(/use_backend (\w+) if \{ req\.ssl_sni -i (\S+) \}/g), ([, to, name]) => [
    name,
    to,
  ])
  expect(named).toEqual([...OWN_NAMES.map((name, n) => [name, `relay${n + 1}`]), [NAME, 'region']])

  const records = Array.from(
    readText('deploy/region/relay.example.com.zone').matchAll(/^(\w+) +IN (A|AAAA) +(\S+)$/gm),
    ([, name, type, address]) => ({ name: `${name}.example.com`, type, address }),
  )
  const addressesOf = (...names: string[]): ReadonlySet<string> =>
    new Set(records.flatMap(({ name, address = '' }) => (names.includes(name) ? [address] : [])))
  expect(addressesOf(NAME)).toEqual(addressesOf(...OWN_NAMES))
  for (const name of OWN_NAMES) expect(addressesOf(name).size).toBe(2)

  const value: unknown = JSON.parse(readText('deploy/region/derpmap.json'))
  const map = parseDerpMap(value)
  const nodes = Object.values(map.Regions ?? {}).flatMap(region => region?.Nodes ?? [])
  expect(nodes.map(({ HostName }) => HostName)).toEqual([NAME, ...OWN_NAMES])
  expect(nodes.map(({ STUNOnly = false, STUNPort = 0 }) => [STUNOnly, STUNPort])).toEqual([
    [false, -1],
    ...OWN_NAMES.map(() => [true, 0]),
  ])
  expect(lintDerpMap({ value, format: 'json' }).filter(({ severity }) => severity === 'error')).toEqual([])
})

/** All resources of the region in Kubernetes. */
function resources(): Mapping[] {
  const paths = at(readYaml(`${KUBERNETES}/kustomization.yaml`)[0], 'resources') as string[]
  return paths.flatMap(path => readYaml(`${KUBERNETES}/${path}`))
}

function resource(kind: string, name: string): Mapping {
  const found = resources().filter(each => each['kind'] === kind && at(each, 'metadata.name') === name)
  if (found.length !== 1) throw new Error(`find ${kind} ${name}: found ${found.length}`)
  return found[0] as Mapping
}

test('the relays of the StatefulSet are accepted, and others reach each of them alone', async () => {
  const set = resource('StatefulSet', 'derper')
  const container = at(set, 'spec.template.spec.containers.0')
  const [, url] = at(container, 'env') as [Mapping, { name: string; value: string }]
  expect(url.name).toBe('DERPER_REGION_URL')
  const env = { ...readEnvFile(`${KUBERNETES}/derper.env`), [url.name]: url.value.replace('$(POD_NAME)', 'derper-0') }
  const settings = await settingsOf(env)
  const replicas = Number(at(resource('StatefulSet', 'nats'), 'spec.replicas'))
  expect(settings).toMatchObject({
    listen: { address: { port: 8_443 } },
    tls: { hostname: NAME, directory: '/certs' },
    region: {
      name: 'eu',
      url: `https://derper-0.${NAME}:8443/derp`,
      servers: Array.from({ length: replicas }, (_, n) => `nats://nats-${n}.nats:4222`),
    },
  })
  const ports = Object.fromEntries(
    (at(container, 'ports') as Mapping[]).map(({ name, containerPort }) => [name, containerPort]),
  )
  expect(ports).toEqual({ https: 8_443, stun: settings.stun?.port, metrics: settings.metrics?.address.port })
  expect(at(set, 'spec.template.spec.terminationGracePeriodSeconds')).toBeGreaterThan(settings.drain.deadlineMs / 1_000)
  const mounted = at(set, 'spec.template.spec.volumes.0.secret.items') as Mapping[]
  expect(mounted.map(({ path }) => path)).toEqual([`${NAME}.crt`, `${NAME}.key`])
  expect(readText(`${KUBERNETES}/kustomization.yaml`)).toContain('{1}.derper.derper.svc.cluster.local')
  expect(at(set, 'spec.serviceName')).toBe(at(resource('Service', 'derper'), 'metadata.name'))
})

test('the Kubernetes resources are consistent', () => {
  for (const [app, ...services] of [
    ['derper', 'derper', 'clients'],
    ['nats', 'nats'],
  ] as const) {
    const set = resource('StatefulSet', app)
    const labels = at(set, 'spec.selector.matchLabels')
    expect(at(set, 'spec.template.metadata.labels')).toEqual(labels)
    expect(at(resource('PodDisruptionBudget', app), 'spec.selector.matchLabels')).toEqual(labels)
    expect(at(resource('NetworkPolicy', app), 'spec.podSelector.matchLabels')).toEqual(labels)
    expect(at(set, 'spec.template.spec.enableServiceLinks')).toBe(false)
    const names = (at(set, 'spec.template.spec.containers.0.ports') as Mapping[]).map(({ name }) => name)
    for (const service of services) {
      expect(at(resource('Service', service), 'spec.selector')).toEqual(labels)
      const targets = (at(resource('Service', service), 'spec.ports') as Mapping[]).map(({ targetPort }) => targetPort)
      expect(names).toEqual(expect.arrayContaining(targets))
    }
  }
  expect(at(resource('StatefulSet', 'nats'), 'spec.template.spec.containers.0.args')).toEqual([
    '-c',
    '/etc/nats/nats.conf',
    '--name',
    '$(POD_NAME)',
    '--routes',
    [0, 1, 2].map(n => `nats://nats-${n}.nats:6222`).join(','),
  ])
})
