/** Sessions of docs/operate/mesh.md. */

import { main as derp } from '../../src/cli/derp/derp.ts'
import { freePort } from '../../test/support/relays.ts'
import { testIo } from '../../test/support/test-io.ts'
import type { Session } from './sessions.ts'
import type { Replacement, Stage, StagedRelay } from './stage.ts'

const HOSTS = ['relay1.example', 'relay2.example'] as const

/** Two relays that list each other, which may differ in their mesh key. */
class Mesh {
  readonly #stage: Stage
  readonly #ports: readonly [number, number]

  private constructor(stage: Stage, ports: readonly [number, number]) {
    this.#stage = stage
    this.#ports = ports
  }

  static async of(stage: Stage): Promise<Mesh> {
    return new Mesh(stage, [await freePort(), await freePort()])
  }

  async start(index: 0 | 1, key = 'a'.repeat(64)): Promise<StagedRelay> {
    const hostname = HOSTS[index]
    const psk = await this.#stage.file(`${hostname}.mesh`, key)
    const meshWith = HOSTS.map((host, at) => `${host}:${this.#ports[at]}/127.0.0.1`).join(',')
    const flags = ['-mesh-psk-file', psk, '-mesh-with', meshWith, '-drain-time', '0s']
    return this.#stage.relay({ hostname, port: this.#ports[index] ?? 0, flags })
  }

  /** Both as nodes of a DERP map. */
  map(): Promise<string> {
    const nodes = HOSTS.map((host, at) => ({
      Name: `900${'ab'[at]}`,
      RegionID: 900,
      HostName: host,
      IPv4: '127.0.0.1',
      IPv6: 'none',
      DERPPort: this.#ports[at],
      STUNPort: -1,
    }))
    const region = { RegionID: 900, RegionCode: 'lab', RegionName: 'Lab', Nodes: nodes }
    return this.#stage.file('map.json', JSON.stringify({ Regions: { 900: region } }))
  }

  shown(lines: readonly string[], times: readonly string[], more: readonly Replacement[] = []): string {
    const ports = this.#ports.map((port): Replacement => [new RegExp(`(relay\\d\\.example):${port}`, 'g'), '$1'])
    return this.#stage.shown(lines.join('\n'), times, [...more, ...ports])
  }
}

export const MESH_SESSIONS: Readonly<Record<string, Session>> = {
  mesh: async stage => {
    const mesh = await Mesh.of(stage)
    const second = await mesh.start(1)
    const first = await mesh.start(0)
    await first.logged(/mesh link is up/)
    await second.program.stop()
    await first.logged(/mesh link is down/)
    await mesh.start(1)
    await first.logged(/mesh link is up/, 2)
    const lines = ["$ journalctl -u derper -o cat -g 'mesh link is'", ...first.lines(/mesh link is/)]
    return mesh.shown(lines, ['09:00:00.412', '14:30:05.008', '14:30:07.391'])
  },

  'mesh-keys': async stage => {
    const mesh = await Mesh.of(stage)
    const second = await mesh.start(1, 'b'.repeat(64))
    const first = await mesh.start(0)
    await first.logged(/mesh link is down/)
    await second.logged(/mesh peer refused/)
    const log = "journalctl -u derper -o cat -g 'mesh link is|mesh peer'"
    const [down = ''] = first.lines(/mesh link is down/)
    const [refused = ''] = second.lines(/mesh peer refused/)
    return mesh.shown(
      [`$ ${log}`, down, `$ ssh relay2.example ${log}`, refused],
      ['09:00:00.412'],
      [[/remote=\S+/g, 'remote={"address":"203.0.113.1","port":41641}']],
    )
  },

  'mesh-doctor': async stage => {
    const mesh = await Mesh.of(stage)
    const [first, second] = [await mesh.start(0), await mesh.start(1)]
    await first.logged(/mesh link is up/)
    await second.logged(/mesh link is up/)
    const io = testIo()
    const psk = stage.path(`${HOSTS[0]}.mesh`)
    await derp(['doctor', '--ca', stage.path('ca.pem'), '--mesh-psk-file', psk, await mesh.map()], io)
    const shown = "$ derp doctor --mesh-psk-file /etc/derper/mesh.key map.json | grep -E '^[^ ]|Mesh'"
    return mesh.shown(
      [shown, ...io.stdout.split('\n').filter(line => /^[^ ]|Mesh/.test(line))],
      [],
      [
        [/^(.{38}) +\d+ ms {2}/gm, '$1   12 ms  '],
        [/\d+\.\d ms$/gm, '1.4 ms'],
      ],
    )
  },
}
