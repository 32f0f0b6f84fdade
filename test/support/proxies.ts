/** Real proxies, run with the files of `deploy/proxies` with only names, ports and paths replaced. */

import { execFileSync } from 'node:child_process'
import { accessSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CertificatePair } from '../../src/tls/x509.ts'
import { type Program, startProgram } from './process.ts'
import { freePort, untilListening } from './relays.ts'
import { TestCa } from './test-ca.ts'

const SNIPPETS = join(import.meta.dirname, '../../deploy/proxies')

/** Debian's package libnginx-mod-stream. */
const NGINX_STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so'

/** Host name that replaces the one in the files. */
export const PROXY_HOSTNAME = 'localhost'

/** Settings of a proxy. */
export interface ProxySettings {
  /** Loopback port of the relay. */
  readonly relayPort: number
  /** Loopback port of the web site. */
  readonly websitePort?: number
  /** Loopback port of the relay's plain HTTP beside TLS. */
  readonly relayHttpPort?: number
  readonly certificate: CertificatePair
  /** Further replacements; each text must be present. */
  readonly replace?: Readonly<Record<string, string>>
}

export interface RunningProxy extends AsyncDisposable {
  readonly port: number
  /** In place of port 80. */
  readonly plainPort: number
  readonly program: Program
}

/** Certificate folder, and the ports that stand for 443 and 80. */
interface Place {
  readonly directory: string
  readonly port: number
  readonly plainPort: number
}

/** Texts of the files and their replacements. */
function replacements({ directory, port, plainPort }: Place, settings: ProxySettings): Record<string, string> {
  const listen = `127.0.0.1:${port}`
  return {
    'http://relay.example.com {': `http://${PROXY_HOSTNAME}:${plainPort} {\n\tbind 127.0.0.1`,
    'relay.example.com {': `https://${PROXY_HOSTNAME}:${port} {\n\tbind 127.0.0.1`,
    'listen 80;': `listen 127.0.0.1:${plainPort};`,
    'listen [::]:80;': '',
    'bind :::80 v4v6': `bind 127.0.0.1:${plainPort}`,
    '127.0.0.1:8080': `127.0.0.1:${settings.relayHttpPort ?? 9}`,
    'listen 443': `listen ${listen}`,
    // Test machines may lack IPv6.
    'listen [::]:443 ssl;': '',
    'listen [::]:443;': '',
    'bind :::443 v4v6': `bind ${listen}`,
    '/etc/ssl/relay.example.com': join(directory, 'site'),
    'relay.example.com': PROXY_HOSTNAME,
    '127.0.0.1:3340': `127.0.0.1:${settings.relayPort}`,
    '127.0.0.1:8443': `127.0.0.1:${settings.relayPort}`,
    '127.0.0.1:9443': `127.0.0.1:${settings.websitePort ?? 9}`,
  }
}

/** A file of `deploy/proxies` for the tests. @throws Error if a text of `settings.replace` is missing. */
function snippet(name: string, place: Place, settings: ProxySettings): string {
  let text = readFileSync(join(SNIPPETS, name), 'utf8')
  for (const [from, to] of Object.entries(settings.replace ?? {})) {
    if (!text.includes(from)) throw new Error(`prepare ${name}: "${from}" is not in it`)
    text = text.replaceAll(from, to)
  }
  for (const [from, to] of Object.entries(replacements(place, settings))) text = text.replaceAll(from, to)
  const left = /example\.com|\b(?:443|3340|8080|8443|9443)\b/.exec(text.replace(/#.*/g, ''))
  if (left !== null) throw new Error(`prepare ${name}: "${left[0]}" is left in it`)
  return text
}

/** How to run a kind of proxy: further files, and the command. */
interface Launch {
  readonly files: Readonly<Record<string, string>>
  readonly command: readonly [path: string, ...args: string[]]
}

type Launcher = (place: Place, settings: ProxySettings) => Launch

const nginx =
  (name: string, block: 'http' | 'stream'): Launcher =>
  (place, settings) => {
    const text = snippet(name, place, settings)
    const include = 'include site.conf;'
    const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map(kind => `${kind}_temp_path ${place.directory}/${kind};`)
      .join(' ')
    const main = [
      block === 'stream' ? `load_module ${NGINX_STREAM_MODULE};` : '',
      `daemon off; master_process off; pid ${place.directory}/nginx.pid; error_log stderr; events {}`,
      block === 'http' ? `http { access_log off; ${scratch} ${include} }` : include,
    ]
    return {
      files: { 'site.conf': text, 'main.conf': main.join('\n') },
      command: ['nginx', '-p', place.directory, '-c', join(place.directory, 'main.conf')],
    }
  }

const haproxy =
  (name: string): Launcher =>
  (place, settings) => ({
    files: { 'haproxy.cfg': snippet(name, place, settings) },
    command: ['haproxy', '-db', '-f', join(place.directory, 'haproxy.cfg')],
  })

const caddy: Launcher = (place, settings) => {
  const own = '{\n\tadmin off\n\tauto_https disable_redirects\n\tskip_install_trust\n}\n'
  const file = join(place.directory, 'Caddyfile')
  return {
    files: { Caddyfile: own + snippet('Caddyfile', place, settings) },
    command: ['caddy', 'run', '--adapter', 'caddyfile', '--config', file],
  }
}

const LAUNCHERS = {
  'nginx.conf': nginx('nginx.conf', 'http'),
  'nginx-stream.conf': nginx('nginx-stream.conf', 'stream'),
  'haproxy.cfg': haproxy('haproxy.cfg'),
  'haproxy-tcp.cfg': haproxy('haproxy-tcp.cfg'),
  Caddyfile: caddy,
} as const

/** A file of `deploy/proxies`. */
export type ProxyFile = keyof typeof LAUNCHERS

/** Whether a proxy is installed. Without it its tests are skipped with one line; in CI that is a failure. */
export function hasProxy(name: 'nginx' | 'nginx stream module' | 'haproxy' | 'caddy'): boolean {
  try {
    if (name === 'nginx stream module') accessSync(NGINX_STREAM_MODULE)
    execFileSync(name.split(' ')[0] ?? name, [name === 'caddy' ? 'version' : '-v'], { stdio: 'ignore' })
    return true
  } catch {
    if (process.env['CI']) throw new Error(`find ${name}: not installed, and CI may skip nothing`)
    process.stderr.write(`tests behind ${name} are skipped: it is not installed\n`)
    return false
  }
}

/** An authority of its own, and the certificate of the proxy from it. */
export class ProxyCa implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'derphttp-proxies-'))
  /** PEM of the authority, and the file that has it. */
  readonly authority: string
  readonly file: string = join(this.#directory, 'ca.pem')
  readonly certificate: CertificatePair

  private constructor(authority: string, certificate: CertificatePair) {
    this.authority = authority
    this.certificate = certificate
    writeFileSync(this.file, authority)
  }

  static async create(): Promise<ProxyCa> {
    const ca = await TestCa.create()
    return new ProxyCa(ca.certificate, await ca.issue({ dns: [PROXY_HOSTNAME] }))
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true })
  }
}

/** Starts the proxy of `file` on a free loopback port. */
export async function startProxy(file: ProxyFile, settings: ProxySettings): Promise<RunningProxy> {
  const directory = mkdtempSync(join(tmpdir(), 'derphttp-proxy-'))
  const place = { directory, port: await freePort(), plainPort: await freePort() }
  const { files, command } = LAUNCHERS[file](place, settings)
  const { certificate, key } = settings.certificate
  const site = { 'site.crt': certificate, 'site.key': key, 'site.pem': `${certificate}\n${key}` }
  for (const [name, text] of Object.entries({ ...site, ...files })) writeFileSync(join(directory, name), text)
  const [path, ...args] = command
  const env = { XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory }
  const program = await startProgram(path, args, { cwd: directory, env })
  try {
    await untilListening(place.port)
  } catch (error) {
    await program.stop()
    throw new Error(`start proxy with ${file}: ${program.stderr}`, { cause: error })
  }
  return {
    port: place.port,
    plainPort: place.plainPort,
    program,
    async [Symbol.asyncDispose]() {
      await program.stop()
      rmSync(directory, { recursive: true })
    },
  }
}
