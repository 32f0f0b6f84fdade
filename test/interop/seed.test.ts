/** Every symbol of the Go package's documentation, by its name, against our relay and the original. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseDerpMap } from '../../src/derpmap/parse.ts'
import { requireRegion } from '../../src/derpmap/regions.ts'
import { createDnsCache, netcheckClient } from '../../src/entries/client.ts'
import { Client, type ClientOptions, ErrClientClosed, MeshKey, NodePrivateKey } from '../../src/entries/derphttp.ts'
import {
  handler,
  NO_CONTENT_CHALLENGE_HEADER,
  NO_CONTENT_RESPONSE_HEADER,
  probeHandler,
  RelayCore,
  serveNoContent,
} from '../../src/entries/server.ts'
import { nodeAgreement } from '../../src/keys/node-box.ts'
import type { ReceivedMessage } from '../../src/protocol/messages.ts'
import { hasGo } from '../support/go-tools.ts'
import {
  type RunningRelay,
  type RunningTlsRelay,
  startOurRelay,
  startOurTlsRelay,
  startReferenceRelay,
  startReferenceTlsRelay,
} from '../support/relays.ts'

const meshKey = 'a5c3'.repeat(16)
const relays = [
  { name: 'ours', start: startOurRelay, startTls: startOurTlsRelay },
  ...(hasGo ? [{ name: 'stock derper', start: startReferenceRelay, startTls: startReferenceTlsRelay }] : []),
]

/** The next message of a type. */
async function messageOf<T extends ReceivedMessage['type']>(client: Client, type: T) {
  for (;;) {
    const message = await client.recv()
    if (message.type === type) return message as Extract<ReceivedMessage, { type: T }>
  }
}

describe.each(relays)('seed, on $name', ({ start, startTls }) => {
  let directory: string
  let plain: RunningRelay
  let tls: RunningTlsRelay
  const opened: Client[] = []

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'seed-'))
    writeFileSync(join(directory, 'mesh.key'), meshKey)
    const flags = ['-mesh-psk-file', join(directory, 'mesh.key')]
    ;[plain, tls] = await Promise.all([start(flags), startTls(flags)])
  })
  afterAll(async () => {
    for (const client of opened) await client.close().catch(() => {})
    await Promise.all([plain?.stop(), tls?.stop()])
    rmSync(directory, { recursive: true })
  })

  const made = (options: ClientOptions = {}, url = plain.url): Client => {
    const client = new Client(NodePrivateKey.generate(), url, options)
    opened.push(client)
    return client
  }
  const connected = async (options: ClientOptions = {}, url = plain.url): Promise<Client> => {
    const client = made(options, url)
    await messageOf(client, 'serverInfo')
    return client
  }
  const mesh = { meshKey: MeshKey.parse(meshKey) }
  const region = (node: object = {}) =>
    requireRegion(
      parseDerpMap({
        Regions: {
          900: {
            RegionID: 900,
            RegionCode: 'test',
            RegionName: 'Test',
            Nodes: [
              {
                Name: '900a',
                RegionID: 900,
                HostName: 'localhost',
                IPv4: '127.0.0.1',
                IPv6: 'none',
                DERPPort: tls.port,
                ...node,
              },
            ],
          },
        },
      }),
      900,
    )
  const trust = () => ({ tlsConfig: { ca: tls.ca } })
  const text = (value: string) => new TextEncoder().encode(value)

  test('NewClient, Connect, ServerPublicKey, SelfPublicKey, String, LocalAddr, ConnectedState', async () => {
    const client = made()
    expect(() => client.localAddr()).toThrow('not connected')
    expect(client.connectedState()).toMatchObject({ connected: false, connecting: false, closed: false })
    await client.connect()
    expect(String(client.serverPublicKey())).toMatch(/^nodekey:/)
    expect(String(client.selfPublicKey())).toMatch(/^nodekey:/)
    expect(client.toString()).toContain(plain.url)
    expect(client.localAddr()).toMatchObject({ address: '127.0.0.1' })
    expect(client.connectedState()).toMatchObject({ connected: true })
    await client.close()
    expect(client.connectedState()).toMatchObject({ closed: true })
  })

  test('Send, Recv, RecvDetail', async () => {
    const [a, b] = [await connected(), await connected()]
    await a.send(b.selfPublicKey(), text('hello'))
    const { message, connectionGeneration } = await b.recvDetail()
    expect(message).toMatchObject({ type: 'receivedPacket', data: text('hello') })
    expect(connectionGeneration).toBe(1)
  })

  test('Close, ErrClientClosed', async () => {
    const client = await connected()
    const waiting = client.recv()
    await client.close()
    await expect(waiting).rejects.toMatchObject({ code: ErrClientClosed })
    await expect(client.send(client.selfPublicKey(), text('x'))).rejects.toMatchObject({ code: ErrClientClosed })
    await expect(client.close()).rejects.toMatchObject({ code: ErrClientClosed })
  })

  test('Ping, SendPing, SendPong', async () => {
    const client = await connected()
    const payload = text('12345678')
    await client.sendPong(payload)
    await client.sendPing(payload)
    expect(await messageOf(client, 'pong')).toMatchObject({ payload })
    const reading = messageOf(client, 'receivedPacket')
    await client.ping()
    await client.send(client.selfPublicKey(), text('done'))
    await reading
  })

  test('NotePreferred, SetCanAckPings, IsProber, AppName', async () => {
    const client = made({ isProber: true, appName: 'seed' })
    client.setCanAckPings(true)
    await messageOf(client, 'serverInfo')
    await client.notePreferred(true)
    await client.send(client.selfPublicKey(), text('still there'))
    await messageOf(client, 'receivedPacket')
  })

  test('MeshKey, WatchConnectionChanges, ForwardPacket, ClosePeer', async () => {
    const watcher = made({ ...mesh, watchConnectionChanges: true })
    const peer = await connected()
    const [source, key] = [NodePrivateKey.generate().publicKey(), peer.selfPublicKey()]
    let seen = await messageOf(watcher, 'peerPresent')
    while (!seen.peer.equals(key)) seen = await messageOf(watcher, 'peerPresent')
    await watcher.forwardPacket(source, key, text('forwarded'))
    expect(String((await messageOf(peer, 'receivedPacket')).source)).toBe(String(source))
    const ended = peer.recv()
    await watcher.closePeer(key)
    await expect(ended).rejects.toMatchObject({ code: 'ERR_DERP_CONN_CLOSED' })
  })

  test('RunWatchConnectionLoop', async () => {
    const peer = await connected()
    const stop = new AbortController()
    const heard: string[] = []
    const loop = made(mesh).runWatchConnectionLoop({
      add: ({ peer: key }) => {
        heard.push(`add ${key}`)
        if (key.equals(peer.selfPublicKey())) peer.close().catch(() => {})
      },
      remove: ({ peer: key, reason }) => {
        heard.push(`remove ${key}`)
        if (key.equals(peer.selfPublicKey()) && reason === 0) stop.abort()
      },
      signal: stop.signal,
    })
    await loop.catch(() => {})
    expect(heard).toContain(`add ${peer.selfPublicKey()}`)
    expect(heard).toContain(`remove ${peer.selfPublicKey()}`)
  })

  test('BaseContext, HealthTracker', async () => {
    const states: boolean[] = []
    const aborted = made({ baseContext: () => AbortSignal.abort() })
    await expect(aborted.connect()).rejects.toMatchObject({ code: 'ERR_DERP_ABORTED' })
    const client = await connected({
      healthTracker: { setConnected: state => states.push(state), setProblem: () => {} },
      baseContext: () => new AbortController().signal,
    })
    await client.close()
    expect(states).toEqual([true, false])
  })

  test('SetURLDialer', async () => {
    const dialled: string[] = []
    const client = made({}, plain.url.replace('127.0.0.1', 'relay.invalid'))
    client.setUrlDialer(async ({ host, port }) => {
      dialled.push(`${host}:${port}`)
      return connect(port, '127.0.0.1')
    })
    await client.connect()
    expect(dialled).toEqual([`relay.invalid:${plain.port}`])
  })

  test('TLSConfig, TLSConnectionState, DNSCache', async () => {
    const asked: string[] = []
    const system = createDnsCache()
    const dnsCache = {
      lookup: (host: string, signal: AbortSignal) => {
        asked.push(host)
        return system.lookup(host, signal)
      },
    }
    const client = await connected({ ...trust(), dnsCache }, tls.url)
    expect(asked).toEqual(['localhost'])
    expect(client.tlsConnectionState()).toMatchObject({ version: 'TLSv1.3', serverName: 'localhost' })
    expect((await connected()).tlsConnectionState()).toBeUndefined()
  })

  test('NewRegionClient, AddressFamilySelector, SetAddressFamilySelector', async () => {
    const client = Client.forRegion(NodePrivateKey.generate(), () => region(), trust())
    opened.push(client)
    client.setAddressFamilySelector({ preferIPv6: () => true })
    await messageOf(client, 'serverInfo')
    expect(client.toString()).toContain('derphttp')
    await client.send(client.selfPublicKey(), text('by region'))
    await messageOf(client, 'receivedPacket')
  })

  test('NewNetcheckClient, DialRegionTLS', async () => {
    for (const dialling of [netcheckClient(trust()), made(trust())]) {
      const { socket, node, close } = await dialling.dialRegionTls(region())
      expect([socket.getProtocol(), node.Name]).toEqual(['TLSv1.3', '900a'])
      close()
    }
  })
})

describe('seed, server side', () => {
  test('Handler, ProbeHandler', async () => {
    const core = new RelayCore({ privateKey: NodePrivateKey.generate(), agreement: nodeAgreement })
    const derp = handler(core)
    const server = createServer(derp.request).on('upgrade', derp.upgrade)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/derp`
    const client = new Client(NodePrivateKey.generate(), url)
    expect(await client.recv()).toMatchObject({ type: 'serverInfo' })
    expect((await fetch(`${url}/probe`)).headers.get('access-control-allow-origin')).toBe('*')
    expect((await fetch(url)).status).toBe(426)
    expect(typeof probeHandler).toBe('function')
    await client.close()
    core.close()
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })

  test('ServeNoContent, NoContentChallengeHeader, NoContentResponseHeader', async () => {
    const server = createServer(serveNoContent)
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { [NO_CONTENT_CHALLENGE_HEADER]: 'ts_1' } })
    expect([answer.status, answer.headers.get(NO_CONTENT_RESPONSE_HEADER)]).toEqual([204, 'response ts_1'])
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
})
