/** Differences from the original, with both expectations; docs/understand/differences.md has the reasons. */

import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { connect } from 'node:tls'
import WebSocket from 'ws'
import { NodePrivateKey } from '../../../src/keys/node-key.ts'
import { precompute, sealBox } from '../../../src/keys/secretbox.ts'
import { encodeUtf8 } from '../../../src/lib/bytes.ts'
import { encodeFrame } from '../../../src/protocol/encode.ts'
import { FrameType } from '../../../src/protocol/frame-type.ts'
import { RawClient } from '../../support/raw-client.ts'
import type { ConformanceCase } from '../case.ts'
import { equal, expectClosed, ok } from '../check.ts'

/** The key 1, whose shared key with any other is all zero. */
const LOW_ORDER_KEY = new Uint8Array(32)
LOW_ORDER_KEY[0] = 1

export const differenceCases: readonly ConformanceCase[] = [
  {
    id: 'differs/low-order-key',
    clauses: ['P-032'],
    differs: 'D-04',
    async run(target) {
      const client = await target.connect()
      await client.greeting()
      const box = sealBox(precompute(new Uint8Array(32)), encodeUtf8('{"version":2}'))
      client.sendBytes(encodeFrame(FrameType.ClientInfo, LOW_ORDER_KEY, box))
      if (target.isOriginal) equal((await client.frame()).type, FrameType.ServerInfo)
      else await expectClosed(client)
    },
  },
  {
    id: 'differs/only-h2-is-offered',
    clauses: ['P-142'],
    needs: ['tls', 'raw'],
    differs: 'D-05',
    async run(target) {
      const { hostname: servername, port } = target.url
      const options = {
        host: '127.0.0.1',
        port: Number(port),
        servername,
        ca: target.options.ca,
        ALPNProtocols: ['h2'],
      }
      const socket = connect(options)
      const outcome = await once(socket, 'secureConnect').then(
        () => socket.alpnProtocol,
        (error: NodeJS.ErrnoException) => error.code,
      )
      socket.destroy()
      equal(outcome, target.isOriginal ? 'h2' : 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
    },
  },
  {
    id: 'differs/upgrade-with-a-body',
    clauses: ['P-120'],
    needs: ['raw'],
    differs: 'D-16',
    async run(target) {
      const headers = { Upgrade: 'DERP', Connection: 'Upgrade', 'Content-Length': '3' }
      const { head, conn } = await target.upgrade({ method: 'POST', headers, behind: encodeUtf8('abc') })
      conn.destroy()
      ok(head.startsWith(target.isOriginal ? 'HTTP/1.1 101 ' : 'HTTP/1.1 400 '), head)
    },
  },
  {
    id: 'differs/malformed-origin-of-a-websocket',
    clauses: ['P-150'],
    needs: ['websocket'],
    differs: 'D-20',
    async run(target) {
      const url = new URL(target.url)
      url.protocol = target.isTls ? 'wss:' : 'ws:'
      const { ca } = target.options
      const socket = new WebSocket(url, 'derp', { headers: { Origin: 'http://[' }, ...(ca !== undefined && { ca }) })
      const outcome = await Promise.race([
        once(socket, 'open').then(() => 'open'),
        once(socket, 'unexpected-response').then(([, response]) => (response as { statusCode: number }).statusCode),
      ])
      socket.on('error', () => {}).terminate()
      equal(outcome, target.isOriginal ? 403 : 'open')
    },
  },
  {
    id: 'differs/profiles-of-the-runtime',
    clauses: ['P-199'],
    needs: ['debug'],
    differs: 'D-21',
    async run(target) {
      const path = '/debug/pprof/goroutine?debug=1'
      equal((await target.http(path)).status, target.isOriginal ? 200 : 404)
    },
  },
  {
    id: 'differs/consistency-with-a-key-connected-twice',
    clauses: ['P-197'],
    needs: ['debug'],
    differs: 'D-23',
    async run(target) {
      const privateKey = NodePrivateKey.generate()
      await target.login({ privateKey })
      await target.login({ privateKey })
      equal((await target.http('/debug/check')).status, target.isOriginal ? 500 : 200)
    },
  },
  {
    id: 'differs/login-dribbled-into',
    clauses: ['P-035'],
    needs: ['raw'],
    slow: true,
    differs: 'D-03',
    async run(target) {
      // The original's 10 s start at its greeting; ours started at TCP accept, 5 s earlier.
      const acceptMs = performance.now()
      const socket = await target.socket()
      await delay(5_000)
      const upgradeMs = performance.now()
      socket.write(target.upgradeRequest({}))
      const { readHead } = await import('../target.ts')
      const { NodeConn } = await import('../../../src/transport/node-conn.ts')
      const { rest } = await readHead(socket)
      const client = new RawClient(new NodeConn(socket, rest))
      await client.greeting()
      await client.closed()
      const closedMs = performance.now()
      const [fromAcceptMs, fromUpgradeMs] = [closedMs - acceptMs, closedMs - upgradeMs]
      if (target.isOriginal) ok(fromUpgradeMs > 9_900, `it took ${fromUpgradeMs} ms from the upgrade`)
      else ok(fromAcceptMs > 9_900 && fromUpgradeMs < 9_900, `it took ${fromUpgradeMs} ms from the upgrade`)
    },
  },
]
