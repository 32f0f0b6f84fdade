import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { targetOfNode } from '../../src/diagnose/target.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import type { AdmissionGate } from '../../src/server/ports.ts'
import { createStunServer } from '../../src/stun/server.ts'
import { createMetaCertificate } from '../../src/tls/meta-cert.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import {
  clockOfNow,
  conclusionOf,
  type ExamineOptions,
  examine,
  outcomeOf,
  STEP_MS,
  systemError,
} from '../support/examination.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { ScriptedRelay } from '../support/scripted-relay.ts'
import { until } from '../support/settle.ts'
import { type ListeningServer, listenOnLoopback, startTcpServer } from '../support/socket-server.ts'
import { TestCa } from '../support/test-ca.ts'

const SWITCHING = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: DERP\r\nConnection: Upgrade\r\n\r\n'

/** A server that accepts the upgrade, then runs the test's code on the connection. */
function startUpgrader(onSocket: (socket: Socket) => void): Promise<ListeningServer> {
  const server = createServer((_request, response) => {
    response.writeHead(426).end('DERP requires connection upgrade\n')
  })
  server.on('upgrade', (request, socket: Socket) => {
    if (request.headers.upgrade !== 'DERP') {
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n')
      return
    }
    socket.write(SWITCHING)
    onSocket(socket)
  })
  return listenOnLoopback(server)
}

/** A relay whose behaviour is defined by a test. A diagnosis also opens connections that it closes without a login. */
function startScripted(play: (relay: ScriptedRelay) => Promise<void> | void): Promise<ListeningServer> {
  const key = NodePrivateKey.generate()
  const serve = async (relay: ScriptedRelay) => {
    try {
      await play(relay)
    } catch (error) {
      if (!relay.closed) throw error
    }
  }
  return startUpgrader(socket => void serve(new ScriptedRelay(new NodeConn(socket), key)))
}

async function reportOf(server: ListeningServer | ListeningRelay, options: ExamineOptions = {}) {
  await using running = server
  return await examine(`http://relay.test:${running.port}/derp`, options)
}

describe('login', () => {
  test.each<[string, (socket: Socket) => void, string]>([
    ['ends', socket => socket.end(), 'login: closed-after-upgrade'],
    ['continues with other data than DERP', socket => socket.write('hello, world. '.repeat(20)), 'login: not-derp'],
  ])('a connection that %s after the upgrade', async (_what, onSocket, cause) => {
    expect(conclusionOf(await reportOf(await startUpgrader(onSocket)))).toBe(cause)
  })

  test('a connection that stays silent after the upgrade', async () => {
    const clock = clockOfNow()
    const server = await startUpgrader(socket => socket.on('data', () => {}))
    const reached = Promise.withResolvers<void>()
    const onStep = ({ id }: { id: string }) => (id === 'websocket' ? reached.resolve() : undefined)
    const reporting = reportOf(server, { clock, onStep })
    await reached.promise
    await until(() => clock.pendingTimers > 1, 'the login has started')
    clock.advance(STEP_MS)
    expect(conclusionOf(await reporting)).toBe('login: no-server-key')
  })

  test('a certificate that announces a different server key', async () => {
    const ca = await TestCa.create()
    const { certificate, key } = await ca.issue({ dns: ['relay.test'] })
    const other = await createMetaCertificate(NodePrivateKey.generate().publicKey())
    await using relay = await ListeningRelay.start()
    const proxy = createHttpsServer({ cert: `${certificate}${other}`, key, minVersion: 'TLSv1.3' })
    proxy.removeAllListeners('secureConnection').on('secureConnection', socket => {
      const passed = connect(relay.port, '127.0.0.1')
      passed.on('error', () => socket.destroy()).pipe(socket)
      socket.on('error', () => passed.destroy()).pipe(passed)
    })
    await using server = await listenOnLoopback(proxy)
    const report = await examine(`https://relay.test:${server.port}/derp`, { ca: ca.certificate })
    expect(conclusionOf(report)).toBe('login: key-differs')
  })

  test('a relay that only admits a known key', async () => {
    const known = NodePrivateKey.generate()
    let refusals = 0
    const admission: AdmissionGate = {
      admit: async ({ clientKey }) => {
        if (clientKey.equals(known.publicKey())) return { admit: true }
        refusals++
        return { admit: false, reason: 'unknown' }
      },
    }
    const start = () => ListeningRelay.start({ admission })
    expect(conclusionOf(await reportOf(await start(), { privateKey: known }))).toBe('all is well')
    expect(refusals).toBe(0)
    const stranger = NodePrivateKey.generate()
    expect(conclusionOf(await reportOf(await start(), { privateKey: stranger }))).toBe('login: not-admitted')
    expect(conclusionOf(await reportOf(await start()))).toBe('login: new-key-not-admitted')
  })

  test('a login without a response', async () => {
    const clock = clockOfNow()
    const server = await startScripted(async relay => {
      relay.greet()
      await relay.hello()
      clock.advance(STEP_MS)
    })
    expect(conclusionOf(await reportOf(server, { clock }))).toBe('login: login-silent')
  })

  test('a malformed response to the login', async () => {
    const server = await startScripted(async relay => {
      relay.greet()
      await relay.hello()
      const info = relay.serverInfo()
      info[info.length - 1] = (info.at(-1) ?? 0) ^ 1
      relay.send(info)
    })
    expect(conclusionOf(await reportOf(server))).toBe('login: login-broken')
  })
})

describe('relaying', () => {
  const sent = (relay: ScriptedRelay) => relay.frames.find(frame => frame.type === 'sendPacket')
  const afterPacket = (then: (relay: ScriptedRelay, data: Uint8Array) => void) =>
    startScripted(async relay => {
      await relay.login()
      await until(() => sent(relay) !== undefined || relay.closed, 'a packet has arrived')
      const frame = sent(relay)
      if (frame?.type === 'sendPacket') then(relay, frame.data)
    })
  const selfOf = (relay: ScriptedRelay) => {
    const frame = sent(relay)
    if (frame?.type !== 'sendPacket') throw new Error('no packet has come')
    return frame.destination
  }

  test('packets that do not arrive', async () => {
    const clock = clockOfNow()
    const server = await afterPacket(() => clock.advance(STEP_MS / 2))
    expect(conclusionOf(await reportOf(server, { clock }))).toBe('relaying: packet-lost')
  })

  test('packets that arrive modified', async () => {
    const server = await afterPacket((relay, data) =>
      relay.say({ type: 'receivedPacket', source: selfOf(relay), data: data.map(byte => byte ^ 1) }),
    )
    expect(conclusionOf(await reportOf(server))).toBe('relaying: packet-changed')
  })

  test('a relay that does not know its own client', async () => {
    const server = await afterPacket(relay => relay.say({ type: 'peerGone', peer: selfOf(relay), reason: 1 }))
    expect(conclusionOf(await reportOf(server))).toBe('relaying: peer-unknown')
  })

  test('a relay that closes the connection', async () => {
    const server = await afterPacket(relay => relay.conn.destroy())
    expect(conclusionOf(await reportOf(server))).toBe('relaying: connection-lost')
  })

  test('large packets that are lost', async () => {
    await using relay = await ListeningRelay.start()
    const clock = clockOfNow()
    const server = await startTcpServer(client => {
      const passed = connect(relay.port, '127.0.0.1')
      let length = 0
      client.on('error', () => passed.destroy()).on('close', () => passed.destroy())
      client.on('data', (data: Buffer) => {
        length += data.length
        if (length < 20_000) passed.write(data)
        else clock.advance(STEP_MS / 2)
      })
      passed.on('error', () => client.destroy()).pipe(client)
    })
    expect(conclusionOf(await reportOf(server, { clock }))).toBe('relaying: large-packet-lost')
  })

  test('pings without a response', async () => {
    const clock = clockOfNow()
    const server = await startScripted(async relay => {
      await relay.login()
      for (let seen = 0; !relay.closed; seen++) {
        await until(() => relay.frames.length > seen || relay.closed, 'the next frame has arrived')
        const frame = relay.frames[seen]
        if (frame?.type === 'sendPacket')
          relay.say({ type: 'receivedPacket', source: frame.destination, data: frame.data })
        if (frame?.type === 'ping') clock.advance(STEP_MS)
      }
    })
    expect(conclusionOf(await reportOf(server, { clock }))).toBe('relaying: ping-unanswered')
  })
})

describe('STUN', () => {
  /** A map node with STUN on a working relay. */
  async function examineNode(stunPort: number, options: ExamineOptions = {}) {
    const ca = await TestCa.create()
    const certificate = await ca.issue({ dns: ['relay.test'] })
    await using relay = await ListeningRelay.start({ tls: { hostname: 'relay.test', certificate } })
    const target = targetOfNode({
      Name: '900a',
      RegionID: 900,
      HostName: 'relay.test',
      DERPPort: relay.port,
      STUNPort: stunPort,
    })
    return await examine(target, { ca: ca.certificate, ...options })
  }

  async function udpServer(onMessage: (socket: UdpSocket) => void): Promise<UdpSocket> {
    const socket = createSocket('udp4')
    socket.on('message', () => onMessage(socket))
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return socket
  }

  test('a node that keeps all promises of the map', async () => {
    const stun = createStunServer({ port: 0, host: '127.0.0.1' })
    const { port } = await stun.listen()
    expect(conclusionOf(await examineNode(port))).toBe('all is well')
    await stun.close()
  })

  test('a closed port', async () => {
    const socket = await udpServer(() => {})
    const { port } = socket.address()
    socket.close()
    await once(socket, 'close')
    expect(conclusionOf(await examineNode(port))).toBe('STUN: stun-refused')
  })

  test('requests without a response', async () => {
    const clock: FakeClock = clockOfNow()
    const socket = await udpServer(() => clock.advance(STEP_MS * 0.8))
    expect(conclusionOf(await examineNode(socket.address().port, { clock }))).toBe('STUN: stun-silent')
    socket.close()
  })

  test('an address of the container network instead of ours', async () => {
    const platform = { askStun: async () => ({ address: '172.17.0.1', port: 4001, rttMs: 1 }) }
    expect(conclusionOf(await examineNode(3478, { platform }))).toBe('STUN: stun-wrong-address')
  })

  test.each([
    ['ECONNREFUSED', 'STUN: stun-refused'],
    ['ENETUNREACH', 'STUN: no-ipv6'],
  ])('a STUN-only node with only an IPv6 address: %s', async (code, cause) => {
    const lookup = async (_host: string, family: number) => (family === 6 ? ['2001:db8::1'] : [])
    const platform = { lookup, askStun: () => Promise.reject(systemError(code)) }
    const node = { Name: '900s', RegionID: 900, HostName: 'relay.test', STUNOnly: true }
    expect(conclusionOf(await examine(targetOfNode(node), { platform }))).toBe(cause)
  })

  test('missing STUN without a map is a warning', async () => {
    const report = await reportOf(await ListeningRelay.start())
    expect([outcomeOf(report, 'stun4'), conclusionOf(report)]).toEqual(['warning: stun-refused', 'all is well'])
  })
})

describe('port 80', () => {
  async function examineWith(listener: (response: ServerResponse) => void, server = 'good') {
    await using relay = await ListeningRelay.start()
    await using plain = await listenOnLoopback(createServer((_request, response) => listener(response)))
    const derpPort = server === 'good' ? relay.port : plain.port
    return await examine(`http://relay.test:${derpPort}/derp`, { ports: { plainHttp: plain.port } })
  }

  test('a correct response from the relay', async () => {
    await using relay = await ListeningRelay.start()
    const report = await examine(`http://relay.test:${relay.port}/derp`, { ports: { plainHttp: relay.port } })
    expect(outcomeOf(report, 'captive-portal')).toBe('passed')
  })

  test('another web server on port 80 is a warning', async () => {
    const report = await examineWith(response => response.writeHead(301, { Location: 'https://relay.test/' }).end())
    expect([outcomeOf(report, 'captive-portal'), conclusionOf(report)]).toEqual([
      'warning: port80-other',
      'all is well',
    ])
  })

  test('a captive portal is the cause of all failures', async () => {
    const portal = { Location: 'http://wifi.test/welcome' }
    const report = await examineWith(response => response.writeHead(302, portal).end(), 'portal')
    expect(conclusionOf(report)).toBe('HTTP: captive-portal')
  })
})

describe('readiness', () => {
  test.each([
    [{}, 'failed: not-ready', 'relaying: not-ready', 'region: no NATS'],
    [{ degradesOnly: true }, 'warning: degraded', 'all is well', 'region: no NATS'],
    [{ degradesOnly: true, strange: true }, 'warning: degraded', 'all is well', 'region'],
  ] as const)('a relay that says that its region cannot be used: %j', async (options, outcome, conclusion, detail) => {
    const isStrange = 'strange' in options
    await using relay = await ListeningRelay.start(isStrange ? { trustedProxies: ['127.0.0.1'] } : {})
    const { degradesOnly } = { degradesOnly: false, ...options }
    relay.relay.readiness.add({ name: 'region', problem: () => 'no NATS', degradesOnly })
    const report = await examine(`http://relay.test:${relay.port}/derp`)
    expect([outcomeOf(report, 'readiness'), conclusionOf(report)]).toEqual([outcome, conclusion])
    expect(report.steps.find(({ id }) => id === 'readiness')?.verdict).toMatchObject({ detail })
  })
})
