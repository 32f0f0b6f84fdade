/** How stock derper and our relay interpret responses of the admission URL. */

import { createServer, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type BuiltAdmission, createAdmission } from '../../src/admission/create-admission.ts'
import { NodePrivateKey } from '../../src/keys/node-key.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { NodeConn } from '../../src/transport/node-conn.ts'
import { admissionPorts } from '../support/admission.ts'
import { hasGo } from '../support/go-tools.ts'
import { ListeningRelay } from '../support/listening-relay.ts'
import { RawClient } from '../support/raw-client.ts'
import { exchange } from '../support/raw-http.ts'
import { type RunningRelay, startReferenceRelay } from '../support/relays.ts'
import { type ListeningServer, listenOnLoopback } from '../support/socket-server.ts'

interface Asked {
  readonly line: string
  readonly body: string
}

describe.skipIf(!hasGo)('admission URL of stock derper and of our relay', () => {
  const asked: Asked[] = []
  let answer: (response: ServerResponse) => void
  let controller: ListeningServer
  let stock: RunningRelay
  let admission: BuiltAdmission | undefined
  let ours: ListeningRelay

  beforeAll(async () => {
    const server = createServer((request, response) => {
      let body = ''
      request.setEncoding('utf8').on('data', (text: string) => {
        body += text
      })
      request.on('end', () => {
        asked.push({ line: `${request.method} ${request.url}`, body })
        answer(response)
      })
    })
    controller = await listenOnLoopback(server)
    const url = `http://127.0.0.1:${controller.port}/verify`
    stock = await startReferenceRelay(['-verify-client-url', url])
    admission = await createAdmission({ url, urlFailOpen: true }, { ...admissionPorts(), clock: systemClock })
    ours = await ListeningRelay.start({ admission: admission?.gate })
  })
  afterAll(async () => {
    admission?.close()
    await Promise.all([stock?.stop(), ours?.[Symbol.asyncDispose](), controller?.[Symbol.asyncDispose]()])
  })

  async function isLetIn(port: number, privateKey: NodePrivateKey): Promise<boolean> {
    const socket = connect(port, '127.0.0.1')
    const request = 'GET /derp HTTP/1.1\r\nHost: relay\r\nConnection: Upgrade\r\nUpgrade: DERP\r\n\r\n'
    const { body } = await exchange(socket, request)
    const client = new RawClient(new NodeConn(socket, body))
    try {
      await client.login({ privateKey })
      return true
    } catch {
      return false
    } finally {
      client.close()
    }
  }

  /** Whether stock derper and ours admit a client. */
  async function verdicts(): Promise<readonly [boolean, boolean]> {
    const privateKey = NodePrivateKey.generate()
    return [await isLetIn(stock.port, privateKey), await isLetIn(ours.port, privateKey)]
  }

  test('both send the same request (P-040)', async () => {
    answer = response => response.end('{"Allow":true}')
    expect(await verdicts()).toEqual([true, true])
    expect(asked).toHaveLength(2)
    expect(asked[0]).toEqual(asked[1])
    expect(asked[0]?.line).toBe('POST /verify')
  })

  test.each([
    ['{"allow":true}', 200, true],
    ['{"Allow":true,"More":{}}', 200, true],
    ['{"Allow":false,"Allow":true}', 200, true],
    ['{"Allow":false}', 200, false],
    ['{"Allow":null}', 200, false],
    ['null', 200, false],
    ['{}', 200, false],
    ['', 200, false],
    ['{"Allow":"true"}', 200, false],
    ['[{"Allow":true}]', 200, false],
    [`{"Pad":"${'x'.repeat(4_100)}","Allow":true}`, 200, false],
    ['{"Allow":true}', 201, false],
    ['{"Allow":true}', 204, false],
    ['{"Allow":true}', 403, false],
    ['{"Allow":true}', 500, false],
    ['{"Allow":true}', 503, false],
  ])('both interpret %j with status %d the same way (P-040)', async (body, status, isYes) => {
    answer = response => response.writeHead(status).end(status === 204 ? undefined : body)
    expect(await verdicts()).toEqual([isYes, isYes])
  })

  test('both follow redirects, and fail open on a broken connection (P-040)', async () => {
    const moved = asked.length
    answer = response => {
      if (asked.at(-1)?.line === 'POST /elsewhere') response.end('{"Allow":true}')
      else response.writeHead(307, { Location: '/elsewhere' }).end()
    }
    expect(await verdicts()).toEqual([true, true])
    expect(asked.slice(moved).map(({ line }) => line)).toEqual([
      'POST /verify',
      'POST /elsewhere',
      'POST /verify',
      'POST /elsewhere',
    ])
    answer = response => response.destroy()
    expect(await verdicts()).toEqual([true, true])
    answer = response =>
      response.writeHead(200, { 'Content-Length': '99' }).write('{"Allow":', () => response.destroy())
    expect(await verdicts()).toEqual([false, false])
  })
})
