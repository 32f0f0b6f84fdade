import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { DERP_MAP_FLAGS } from '../../src/cli/derper/derp-map.ts'
import { DERPER_FLAGS } from '../../src/cli/derper/derper-flags.ts'
import { readSettings } from '../../src/cli/derper/derper-settings.ts'
import { DERPPROBE_FLAGS } from '../../src/cli/derpprobe/probe-flags.ts'
import { environmentName, readFlags } from '../../src/cli/flag-sources.ts'
import type { FlagSpec } from '../../src/cli/go-flags.ts'
import type { DaemonSettings } from '../../src/daemon/settings.ts'
import {
  at,
  deployPaths,
  imageEnvironment,
  type Mapping,
  operatePages,
  ROOT,
  readEnvFile,
  readText,
  readYaml,
} from '../support/deploy-files.ts'

const FLAGS: readonly (readonly [string, FlagSpec])[] = Object.entries(DERPER_FLAGS)
const VARIABLES: ReadonlySet<string> = new Set(
  FLAGS.flatMap(([name, { secret }]) => {
    const variable = environmentName('derper', name)
    return secret === true ? [variable, `${variable}_FILE`] : [variable]
  }),
)
/** Documents that mention variables and flags. */
const DOCUMENTS = operatePages()

/** Settings that `derper` reads from an environment. @throws DerpError like the command. */
async function settingsOf(env: Record<string, string>): Promise<DaemonSettings> {
  const { values, given } = await readFlags('derper', DERPER_FLAGS, { args: [], env })
  return readSettings(values, given, env)
}

/** Variables set by the unit and its environment file; systemd sets the state directory. */
function unitEnvironment(): Record<string, string> {
  const [, line = ''] = /^Environment=(.*)$/m.exec(readText('deploy/systemd/derper.service')) ?? []
  const pairs = line.split(' ').map(pair => pair.replace('%S', '/var/lib').split('=', 2) as [string, string])
  return { ...Object.fromEntries(pairs), ...readEnvFile('deploy/systemd/derper.env') }
}

test.for([...deployPaths(), ...DOCUMENTS])(
  '%s names only variables and flags of derper, and flags of derpprobe',
  path => {
    const text = readText(path)
    const variables = Array.from(text.matchAll(/\bDERPER_[A-Z0-9_]*[A-Z0-9]\b/g), ([variable]) => variable)
    expect([...VARIABLES]).toEqual(expect.arrayContaining(variables))
    // Flags in command lines, and flags of two or more words anywhere.
    const commands = Array.from(
      text.matchAll(/(?:^[# ]*|`)derper (-(?:[^\n\\`]|\\\n)*)/gm),
      ([, args = '']) => ` ${args}`,
    )
    const flags = commands.flatMap(args => Array.from(args.matchAll(/ -+([a-z][a-z-]*)/g), ([, flag]) => flag))
    const spokenOf = Array.from(text.matchAll(/(?<![\w-])-([a-z]+(?:-[a-z]+)+)/g), ([, flag]) => flag)
    const own = [...FLAGS.map(([name]) => name), ...Object.keys(DERP_MAP_FLAGS), 'help']
    expect(own).toEqual(expect.arrayContaining(flags))
    expect([...own, ...Object.keys(DERPPROBE_FLAGS)]).toEqual(expect.arrayContaining(spokenOf))
  },
)

test('derper accepts the environments given to it', async () => {
  const image = imageEnvironment()
  expect(await settingsOf({ ...image, DERPER_HOSTNAME: 'relay.example.com' })).toMatchObject({
    listen: { address: { port: 8443 } },
    tls: { hostname: 'relay.example.com', httpPort: 8080, directory: '/var/lib/derper/certs' },
  })
  const [compose] = readYaml('deploy/compose.yaml')
  const composed = at(compose, 'services.derper.environment') as Record<string, string>
  expect(composed['DERPER_HOSTNAME']).toMatch(/^\$\{DERPER_HOSTNAME:\?.*\}$/)
  expect((await settingsOf({ ...image, ...composed, DERPER_HOSTNAME: 'relay.example.com' })).tls).toBeDefined()
  expect((await settingsOf({ ...image, ...readEnvFile('deploy/kubernetes/derper.env') })).tls?.hostname).toBe(
    'relay.example.com',
  )
  const unit = unitEnvironment()
  await expect(settingsOf(unit)).rejects.toThrow('-hostname is not set')
  expect(await settingsOf({ ...unit, DERPER_HOSTNAME: 'relay.example.com' })).toMatchObject({
    listen: { address: { port: 443 } },
    tls: { hostname: 'relay.example.com', directory: '/var/lib/derper/certs' },
  })
})

test('the published ports are those that derper listens on in the image', async () => {
  const { listen, tls, stun } = await settingsOf({ ...imageEnvironment(), DERPER_HOSTNAME: 'relay.example.com' })
  const listening = [`${listen.address.port}/tcp`, `${tls?.httpPort}/tcp`, `${stun?.port}/udp`]
  const [, exposed = ''] = /^EXPOSE (.*)$/m.exec(readText('deploy/Dockerfile')) ?? []
  expect(exposed.split(' ')).toEqual(listening)
  const published = at(readYaml('deploy/compose.yaml')[0], 'services.derper.ports') as string[]
  expect(published.map(port => port.split(':')[1])).toEqual(listening)
  expect(published.map(port => port.split(':')[0])).toEqual(['443', '80', '3478'])
})

/** The only resource of a kind in `deploy/kubernetes`. */
function resource(kind: string): Mapping {
  const paths = at(readYaml('deploy/kubernetes/kustomization.yaml')[0], 'resources') as string[]
  const found = paths.flatMap(path => readYaml(`deploy/kubernetes/${path}`)).filter(each => each['kind'] === kind)
  if (found.length !== 1) throw new Error(`find ${kind} among ${paths.join(', ')}: found ${found.length}`)
  return found[0] as Mapping
}

test('the Kubernetes resources are consistent', async () => {
  const labels = at(resource('StatefulSet'), 'spec.template.metadata.labels')
  expect(at(resource('StatefulSet'), 'spec.selector.matchLabels')).toEqual(labels)
  expect(at(resource('Service'), 'spec.selector')).toEqual(labels)
  expect(at(resource('PodDisruptionBudget'), 'spec.selector.matchLabels')).toEqual(labels)
  expect(at(resource('NetworkPolicy'), 'spec.podSelector.matchLabels')).toEqual(labels)
  expect(at(resource('StatefulSet'), 'spec.serviceName')).toBe(at(resource('Service'), 'metadata.name'))

  // Kubernetes sets variables named after Services, which could clash with those of flags.
  expect(at(resource('StatefulSet'), 'spec.template.spec.enableServiceLinks')).toBe(false)
  const ports = at(resource('StatefulSet'), 'spec.template.spec.containers.0.ports') as Mapping[]
  const env = { ...imageEnvironment(), ...readEnvFile('deploy/kubernetes/derper.env') }
  const { listen, tls, stun, metrics: own } = await settingsOf(env)
  const metrics = own?.address.port
  const listening = { https: listen.address.port, http: tls?.httpPort, stun: stun?.port, metrics }
  expect(at(resource('StatefulSet'), 'spec.template.metadata.annotations')).toMatchObject({
    'prometheus.io/port': String(metrics),
    'prometheus.io/path': '/metrics',
  })
  expect(Object.fromEntries(ports.map(port => [port['name'], port['containerPort']]))).toEqual(listening)
  const targets = (at(resource('Service'), 'spec.ports') as Mapping[]).map(port => port['targetPort'])
  expect(targets).toEqual(['https', 'http', 'stun'])
  const ingress = at(resource('NetworkPolicy'), 'spec.ingress') as Mapping[]
  const admitted = ingress.flatMap(rule => at(rule, 'ports') as Mapping[]).map(({ port }) => port)
  expect(admitted).toEqual(Object.keys(listening))
})

test('probes request existing paths, and grace periods are long enough', async () => {
  const container = at(resource('StatefulSet'), 'spec.template.spec.containers.0')
  const probes = ['startupProbe', 'livenessProbe', 'readinessProbe'].map(probe => at(container, `${probe}.httpGet`))
  expect(probes).toEqual(['/healthz', '/healthz', '/readyz'].map(path => ({ path, port: 'metrics' })))
  expect(readText('deploy/Dockerfile')).toMatch(/^HEALTHCHECK .* CMD \["\/usr\/bin\/derper", "health"\]$/m)

  const env = { ...imageEnvironment(), ...readEnvFile('deploy/kubernetes/derper.env') }
  const { deadlineMs: pods } = (await settingsOf(env)).drain
  expect(at(resource('StatefulSet'), 'spec.template.spec.terminationGracePeriodSeconds')).toBeGreaterThan(pods / 1_000)
  const { deadlineMs: others } = (await settingsOf({ ...unitEnvironment(), DERPER_HOSTNAME: 'relay.example.com' }))
    .drain
  const grace = at(readYaml('deploy/compose.yaml')[0], 'services.derper.stop_grace_period') as string
  const [, timeout] = /^TimeoutStopSec=(\d+)s$/m.exec(readText('deploy/systemd/derper.service')) ?? []
  for (const seconds of [Number.parseInt(grace, 10), Number(timeout)]) expect(seconds).toBeGreaterThan(others / 1_000)
})

test('the image copies existing files, and starts the single file that it has built', () => {
  const dockerfile = readText('deploy/Dockerfile')
  const copied = Array.from(dockerfile.matchAll(/^COPY (?!--from)(.*) \S+$/gm), ([, files = '']) =>
    files.split(' '),
  ).flat()
  expect(copied.length).toBeGreaterThan(5)
  const admitted = readText('deploy/Dockerfile.dockerignore')
    .split('\n')
    .filter(line => line.startsWith('!'))
  for (const path of copied) {
    expect(existsSync(join(ROOT, path)), path).toBe(true)
    expect(
      admitted.some(line => path.startsWith(line.slice(1))),
      `${path} is left out`,
    ).toBe(true)
  }
  const [, script = ''] =
    /^RUN node (scripts\/\S+) --target "linux-\$\(node -p process.arch\)" --out /m.exec(dockerfile) ?? []
  expect(existsSync(join(ROOT, script)), script).toBe(true)
  expect(dockerfile).toMatch(/^COPY --from=build \/image(\/usr\/bin\/derper) \1$/m)
  expect(dockerfile).toMatch(/^ENTRYPOINT \["\/usr\/bin\/derper"\]$/m)
  const bases = Array.from(dockerfile.matchAll(/^FROM (\S+)/gm), ([, base]) => base)
  expect(bases).toEqual(['node:26-slim', expect.stringMatching(/^gcr\.io\/distroless\/cc-debian\d+$/)])
})
