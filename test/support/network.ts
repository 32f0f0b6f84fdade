/** Machines on one network, as network namespaces; needs root on Linux. Traffic between two of them can be cut. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Whether this process may create network namespaces. Otherwise tests are skipped with one line. */
export const canCreateNetworks: boolean = lookForRights()

function lookForRights(): boolean {
  if (process.platform === 'linux' && process.getuid?.() === 0) return true
  process.stderr.write('tests with network namespaces are skipped: they need root on Linux\n')
  return false
}

export class TestNetwork implements AsyncDisposable {
  readonly #id: string
  readonly #subnet: string
  readonly #machines: string[] = []

  private constructor(id: string, subnet: string) {
    this.#id = id
    this.#subnet = subnet
  }

  /** @param names of its machines, whose addresses are in this order. This process is on the network as well. */
  static async create(names: readonly string[]): Promise<TestNetwork> {
    const id = `d${process.pid % 100_000}`
    const network = new TestNetwork(id, `10.${200 + (process.pid % 50)}.${(process.pid >> 6) % 250}`)
    await ip('link', 'add', id, 'type', 'bridge')
    await ip('addr', 'add', `${network.#subnet}.1/24`, 'dev', id)
    await ip('link', 'set', id, 'up')
    for (const name of names) await network.#add(name)
    return network
  }

  addressOf(name: string): string {
    return `${this.#subnet}.${this.#machines.indexOf(name) + 2}`
  }

  /** The command that runs a program on a machine. */
  commandOn(name: string): readonly [string, ...string[]] {
    return ['ip', 'netns', 'exec', this.#space(name)]
  }

  /** Drops what two machines send each other, silently. */
  async cut(one: string, other: string): Promise<void> {
    for (const [from, to] of bothWays(one, other)) {
      const wrong = ['lladdr', '02:00:00:00:00:fe', 'dev', 'eth0', 'nud', 'permanent']
      await ip('-n', this.#space(from), 'neigh', 'replace', this.addressOf(to), ...wrong)
    }
  }

  async heal(one: string, other: string): Promise<void> {
    for (const [from, to] of bothWays(one, other))
      await ip('-n', this.#space(from), 'neigh', 'del', this.addressOf(to), 'dev', 'eth0')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of this.#machines) await ip('netns', 'del', this.#space(name))
    await ip('link', 'del', this.#id)
  }

  #space(name: string): string {
    return `${this.#id}-${name}`
  }

  async #add(name: string): Promise<void> {
    this.#machines.push(name)
    const space = this.#space(name)
    const port = `${this.#id}p${this.#machines.length}`
    await ip('netns', 'add', space)
    await ip('link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
    await ip('link', 'set', port, 'master', this.#id, 'up')
    await ip('-n', space, 'addr', 'add', `${this.addressOf(name)}/24`, 'dev', 'eth0')
    for (const device of ['lo', 'eth0']) await ip('-n', space, 'link', 'set', device, 'up')
  }
}

async function ip(...args: string[]): Promise<void> {
  await run('ip', args)
}

function bothWays(one: string, other: string): readonly (readonly [string, string])[] {
  return [
    [one, other],
    [other, one],
  ]
}
