/**
 * Uses the client by the package's own entries, on whatever runtime runs this: connect, relay, reconnect, pins, proxies.
 *
 * Started as `RUNTIME client-program.ts SCENE JSON`; prints one line of JSON, or fails.
 */

import {
  Client,
  type ClientOptions,
  type DERPRegion,
  NodePrivateKey,
  ResilientClient,
} from '../../src/entries/derphttp.ts'

/** What a scene is given. */
export interface ClientScene {
  readonly url?: string
  /** PEM of the authority to trust. */
  readonly ca?: string
  readonly region?: DERPRegion
  /** Address and port of a proxy. */
  readonly proxy?: string
}

type Run = (scene: ClientScene) => Promise<unknown>

/** A client of the relay or the region of a scene. */
function clientOf({ url, ca, region, proxy }: ClientScene): Client {
  const options: ClientOptions = {
    ...(ca !== undefined && { tlsConfig: { ca } }),
    ...(proxy !== undefined && { proxyEnv: { HTTPS_PROXY: `http://${proxy}` } }),
  }
  const key = NodePrivateKey.generate()
  return region === undefined ? new Client(key, url ?? '', options) : Client.forRegion(key, () => region, options)
}

/** Reads until a message of this type. */
async function next(client: Client, type: string): Promise<{ readonly type: string; readonly data?: Uint8Array }> {
  for (;;) {
    const message = await client.recv()
    if (message.type === type) return message
  }
}

const SCENES: Readonly<Record<string, Run>> = {
  /** Two clients, and packets of every size between them. */
  async relay(scene) {
    const [a, b] = [clientOf(scene), clientOf(scene)]
    await next(b, 'serverInfo')
    await a.connect()
    const sizes: number[] = []
    for (const size of [0, 1, 1_400, 65_536]) {
      await a.send(b.selfPublicKey(), new Uint8Array(size).fill(size & 255))
      const { data = new Uint8Array() } = await next(b, 'receivedPacket')
      if (data.every(byte => byte === (size & 255))) sizes.push(data.length)
    }
    const tls = a.tlsConnectionState()
    await Promise.all([a.close(), b.close()])
    return { sizes, version: tls?.version, pin: tls?.pin }
  },

  /** Says how a dial fails. */
  async refused(scene) {
    const client = clientOf(scene)
    const error = await client.connect().then(
      () => undefined,
      (reason: unknown) => reason as { readonly code?: string; readonly message: string },
    )
    await client.close()
    return { code: error?.code, message: error?.message }
  },

  /** Connects a second time, once the relay has ended the first connection; tells whether the TLS session went on. */
  async again(scene) {
    const client = clientOf(scene)
    await next(client, 'serverInfo')
    for (;;) {
      const ended = await client.recv().then(
        () => false,
        () => true,
      )
      if (ended) break
    }
    await next(client, 'serverInfo')
    const tls = client.tlsConnectionState()
    await client.close()
    return { isResumed: tls?.isResumed }
  },

  /** Connects again on its own when the relay has closed the connection, for which the test sees to. */
  async reconnect({ url = '' }) {
    const key = NodePrivateKey.generate()
    const client = new ResilientClient({ targets: [url], createClient: target => new Client(key, target) })
    const states: string[] = []
    client.events.on('state', ({ state }) => states.push(state))
    let infos = 0
    while (infos < 2) if ((await client.recv()).type === 'serverInfo') infos++
    await client.close()
    return { infos, states: [...new Set(states)] }
  },
}

const [, , name = '', text = '{}'] = process.argv
const run = SCENES[name]
if (run === undefined) throw new Error(`play scene ${name}: there is none`)
process.stdout.write(`${JSON.stringify(await run(JSON.parse(text) as ClientScene))}\n`)
