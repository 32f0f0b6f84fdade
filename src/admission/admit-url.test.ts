import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer as createTcpServer } from 'node:net'
import { expect, test } from 'vitest'
import { admissionPorts, requestOf } from '../../test/support/admission.ts'
import { until } from '../../test/support/settle.ts'
import { listenOnLoopback, startTcpServer } from '../../test/support/socket-server.ts'
import { AdmitUrl } from './admit-url.ts'
import { FailOpen } from './fail-open.ts'
import { SourceDownError } from './policy.ts'

interface Question {
  readonly method: string | undefined
  readonly path: string | undefined
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A server that responds with `answer` and records the requests. */
async function startController(answer: (response: ServerResponse, question: Question) => void) {
  const questions: Question[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const question = { method: request.method, path: request.url, headers: request.headers, body }
      questions.push(question)
      answer(response, question)
    })
  })
  const listening = await listenOnLoopback(server)
  const url = `http://127.0.0.1:${listening.port}/verify`
  return { url, questions, [Symbol.asyncDispose]: () => listening[Symbol.asyncDispose]() }
}

const answering = (body: string, status = 200) =>
  startController(response => response.writeHead(status, { 'Content-Type': 'application/json' }).end(body))

async function freePort(): Promise<number> {
  const server = createTcpServer()
  const { port } = await new Promise<AddressInfo>(resolve =>
    server.listen(0, '127.0.0.1', () => resolve(server.address() as AddressInfo)),
  )
  await new Promise(resolve => server.close(resolve))
  return port
}

test('AdmitUrl posts key and address as the original does, and admits if allowed (P-040)', async () => {
  await using controller = await answering('{"Allow":true}\n')
  const policy = new AdmitUrl(controller.url, admissionPorts())
  const request = requestOf({ remote: { address: '::ffff:192.0.2.7', port: 1 } })
  expect(await policy.admit(request)).toEqual({ admit: true, by: 'admission URL' })
  await policy.admit(requestOf({ remote: { address: '2001:DB8::1', port: 1 } }))
  await policy.admit(requestOf({ remote: undefined }))
  const [first, second, third] = controller.questions
  expect(first).toMatchObject({ method: 'POST', path: '/verify' })
  expect(first?.headers['content-type']).toBe('application/json')
  expect(first?.body).toBe(`{"NodePublic":"${request.clientKey}","Source":"192.0.2.7"}`)
  expect(JSON.parse(second?.body ?? '')).toMatchObject({ Source: '2001:db8::1' })
  expect(JSON.parse(third?.body ?? '')).toMatchObject({ Source: '' })
})

test.each(['{"allow":true}', '{"ALLOW":true,"other":[1]}', '{"Allow":false,"Allow":true}'])(
  'AdmitUrl accepts %s as allowed, as Go does (P-040)',
  async body => {
    await using controller = await answering(body)
    expect(await new AdmitUrl(controller.url, admissionPorts()).admit(requestOf())).toMatchObject({ admit: true })
  },
)

test.each([
  ['{"Allow":false}', 200],
  ['{}', 200],
  ['null', 200],
  ['{"Allow":null}', 200],
  ['{"Allow":true}', 201],
  ['{"Allow":true}', 403],
  ['', 204],
  ['', 404],
])('AdmitUrl reads "%s" with status %d as a denial, even when failing open (P-040)', async (body, status) => {
  await using controller = await answering(body, status)
  const ports = admissionPorts()
  const policy = new FailOpen(new AdmitUrl(controller.url, ports), ports)
  expect(await policy.admit(requestOf())).toMatchObject({ admit: false, cause: 'url_refused' })
  expect(ports.lines).toEqual([])
})

test.each([
  ['{"Allow":true}', 500, 'status 500'],
  ['{"Allow":"yes"}', 200, 'parse answer: Allow is not of type boolean'],
  ['{"Allow":1}', 200, 'parse answer: Allow is not of type boolean'],
  ['[true]', 200, 'parse answer: not a JSON object'],
  ['', 200, 'parse answer: not JSON'],
  [`{"Allow":true}${' '.repeat(4_096)}`, 200, 'response longer than 4096 bytes'],
])(
  'AdmitUrl reads %j with status %d as an invalid response, which does not fail open (P-040)',
  async (body, status, reason) => {
    await using controller = await answering(body, status)
    const ports = admissionPorts()
    const policy = new FailOpen(new AdmitUrl(controller.url, ports), ports)
    await expect(policy.admit(requestOf())).rejects.toThrow(
      `ask admission URL ${new URL(controller.url).origin}: ${reason}`,
    )
    expect(ports.counters.sourceFailures).toEqual({ local_daemon: 0, url: 1 })
  },
)

test('AdmitUrl accepts a response of 4096 bytes', async () => {
  await using controller = await answering('{"Allow":true}'.padEnd(4_096))
  expect(await new AdmitUrl(controller.url, admissionPorts()).admit(requestOf())).toMatchObject({ admit: true })
})

async function failureOf(policy: AdmitUrl): Promise<SourceDownError> {
  const failure: unknown = await policy.admit(requestOf()).catch((error: unknown) => error)
  if (failure instanceof SourceDownError) return failure
  throw new Error(`ask admission URL: ${JSON.stringify(failure)} is not a failure of the source`)
}

test('AdmitUrl distinguishes a transport failure from a bad response (P-040)', async () => {
  const port = await freePort()
  const refused = await failureOf(new AdmitUrl(`http://127.0.0.1:${port}/`, admissionPorts()))
  expect(refused).toMatchObject({ isTransport: true, message: expect.stringContaining('ECONNREFUSED') })
  await using closing = await startTcpServer(socket => void socket.once('data', () => socket.destroy()))
  const closed = await failureOf(new AdmitUrl(`http://127.0.0.1:${closing.port}/`, admissionPorts()))
  expect(closed.isTransport).toBe(true)
  await using babbling = await startTcpServer(socket => void socket.once('data', () => socket.end('what?\r\n\r\n')))
  expect((await failureOf(new AdmitUrl(`http://127.0.0.1:${babbling.port}/`, admissionPorts()))).isTransport).toBe(true)
  await using cutting = await startTcpServer(
    socket => void socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"Allow":')),
  )
  expect((await failureOf(new AdmitUrl(`http://127.0.0.1:${cutting.port}/`, admissionPorts()))).isTransport).toBe(false)
})

test('AdmitUrl waits five seconds for the whole response (P-040)', async () => {
  await using silent = await startController(() => {})
  await using endless = await startController(response => void response.writeHead(200).write('{"Allow":'))
  let heads = 0
  const onHead = () => heads++
  subscribe('http.client.response.finish', onHead)
  for (const [controller, isTransport] of [
    [silent, true],
    [endless, false],
  ] as const) {
    const ports = admissionPorts()
    const policy = new AdmitUrl(controller.url, ports)
    const failure = failureOf(policy)
    await until(() => controller.questions.length === 1 && (isTransport || heads === 1), 'the request has arrived')
    ports.clock.advance(4_999)
    expect(policy.problemWithin(0)).toBeUndefined()
    ports.clock.advance(1)
    expect(await failure).toMatchObject({ isTransport, message: expect.stringContaining('no response after 5000 ms') })
    expect(ports.clock.pendingTimers).toBe(0)
  }
  unsubscribe('http.client.response.finish', onHead)
})

test('AdmitUrl counts its five seconds from when a request is sent: those that wait for others are no failures (P-040)', async () => {
  const held: ServerResponse[] = []
  await using controller = await startController(response => void held.push(response))
  const ports = { ...admissionPorts(), requests: { maxRequests: 1, patienceMs: 10_000 } }
  const policy = new AdmitUrl(controller.url, ports)
  const verdicts = [policy.admit(requestOf()), policy.admit(requestOf())]
  for (let sent = 1; sent <= 2; sent++) {
    await until(() => held.length === sent, 'a request has arrived')
    ports.clock.advance(4_000)
    expect(controller.questions).toHaveLength(sent)
    held.at(-1)?.end('{"Allow":true}')
    await expect(verdicts[sent - 1]).resolves.toMatchObject({ admit: true })
  }
})

test('AdmitUrl logs once that the URL is unreachable, and once that it is back', async () => {
  const port = await freePort()
  const ports = admissionPorts()
  const policy = new AdmitUrl(`http://127.0.0.1:${port}/`, ports)
  await failureOf(policy)
  await failureOf(policy)
  expect(policy.problemWithin(0)).toContain('ECONNREFUSED')
  const server = createServer((request, response) => {
    request.resume()
    response.end('{"Allow":true}')
  })
  await using _listening = await listenOnLoopback(server, port)
  for (let n = 0; n < 2; n++) expect(await policy.admit(requestOf())).toMatchObject({ admit: true })
  expect(ports.lines.map(({ level, message }) => [level, message])).toEqual([
    ['warn', 'admission backend unreachable'],
    ['info', 'admission backend is back'],
  ])
  expect([policy.problemWithin(0), ports.counters.sourceFailures.url]).toEqual([undefined, 2])
})

test('AdmitUrl logs the effect on clients with its first failure, and probes without a client (P-040)', async () => {
  const port = await freePort()
  const ports = admissionPorts()
  const policy = new AdmitUrl(`http://127.0.0.1:${port}/`, ports, isTransport => `transport ${isTransport}`)
  expect(await policy.probe()).toContain('ECONNREFUSED')
  expect(await policy.probe()).toContain('ECONNREFUSED')
  expect(ports.lines).toMatchObject([
    { level: 'warn', message: 'admission backend unreachable', fields: { source: 'url', effect: 'transport true' } },
  ])
  await using controller = await answering('{"Allow":false}')
  expect(await new AdmitUrl(controller.url, admissionPorts()).probe()).toBeUndefined()
  expect(JSON.parse(controller.questions[0]?.body ?? '')).toMatchObject({ Source: '' })
})

test.each([
  [404, true],
  [302, true],
  [401, true],
  // A server of one's own may refuse a key so.
  [403, false],
  [204, false],
])('AdmitUrl warns once that a URL which answers with status %d looks wrong: %s', async (status, isOdd) => {
  await using controller = await answering('', status)
  const ports = admissionPorts()
  const problem = await new AdmitUrl(controller.url, ports).probe()
  const reason = `ask admission URL ${new URL(controller.url).origin}: status ${status}; check its path (that of Headscale is /verify), user name and password`
  const effect = 'until that is fixed, it admits nobody'
  expect(problem).toBe(isOdd ? `${reason}; ${effect}` : undefined)
  const line = { level: 'warn', message: 'admission URL looks wrong', fields: { effect, reason } }
  expect(ports.lines).toMatchObject(isOdd ? [line] : [])
})

test('AdmitUrl sends the user name and password of the URL, and never shows them', async () => {
  await using controller = await answering('{"Allow":true}', 503)
  const url = controller.url.replace('//', '//relay:p%40ss@')
  const failure = await failureOf(new AdmitUrl(url, admissionPorts()))
  expect(controller.questions[0]?.headers.authorization).toBe(`Basic ${btoa('relay:p@ss')}`)
  expect(failure.message).not.toContain('p@ss')
})

test.each(['verify', 'ftp://x/', '', 'unix:/x'])('AdmitUrl refuses "%s"', url => {
  expect(() => new AdmitUrl(url, admissionPorts())).toThrow(
    'read admission URL: not an http or https URL such as https://headscale.example/verify',
  )
})
