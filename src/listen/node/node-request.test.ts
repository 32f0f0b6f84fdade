import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { EarlyRequest, NodeRequest } from './node-request.ts'

/** A request as `node:http` has read it, with its body. `null` is the body's end. */
function messageWith(body: readonly (string | null)[], parts: object = {}): IncomingMessage {
  const message = Object.assign(new IncomingMessage(new Socket()), { method: 'GET', url: '/', ...parts })
  for (const piece of body) message.push(piece)
  return message
}

test.each([true, false])('a request knows whether it came over TLS: %s', encrypted => {
  const socket = encrypted ? Object.assign(new Socket(), { encrypted }) : new Socket()
  expect(new NodeRequest(new IncomingMessage(socket)).isSecure).toBe(encrypted)
  expect(new EarlyRequest({}, socket, undefined).isSecure).toBe(encrypted)
})

test('the client is who the PROXY header names, or the other end of the connection (P-126)', () => {
  const end = { remoteAddress: '192.0.2.9', remotePort: 4711 }
  const socket = Object.defineProperties(new Socket(), {
    remoteAddress: { value: end.remoteAddress },
    remotePort: { value: end.remotePort },
  })
  const source = { address: '192.0.2.1', port: 443 }
  expect(new EarlyRequest({}, socket, source).remote).toBe(source)
  expect(new EarlyRequest({}, socket, undefined).remote).toEqual({ address: '192.0.2.9', port: 4711 })
})

test('`left` is aborted when the connection closes, and at once if it has', async () => {
  const socket = new Socket()
  const request = new NodeRequest(new IncomingMessage(socket))
  const { left } = request
  expect(left.aborted).toBe(false)
  expect(request.left).toBe(left)
  const aborted = new Promise(resolve => left.addEventListener('abort', resolve))
  socket.destroy()
  await aborted
  expect(new NodeRequest(new IncomingMessage(socket)).left.aborted).toBe(true)
})

test('the target is the whole one, where a framework has removed the path of its mount (P-120)', () => {
  const target = (parts: object) => new NodeRequest(messageWith([null], parts)).target
  expect(target({ url: '/probe', originalUrl: '/derp/probe' })).toBe('/derp/probe')
  expect(target({ url: '/probe', originalUrl: 1 })).toBe('/probe')
  expect(target({ url: undefined })).toBe('/')
  expect(new NodeRequest(messageWith([null], { method: undefined })).method).toBe('')
})

test('readText reads the whole body, up to its limit', async () => {
  expect(await new NodeRequest(messageWith(['größe', 'n', null])).readText(8)).toBe('größen')
  expect(await new NodeRequest(messageWith([null])).readText(0)).toBe('')
})

test('readText gives up at the first byte beyond its limit, and leaves the request open for its reply', async () => {
  const message = messageWith(['1234', '56'])
  expect(await new NodeRequest(message).readText(5)).toBeUndefined()
  expect(message.destroyed).toBe(false)
})

test('readText returns nothing when the client leaves before the end', async () => {
  const message = messageWith(['half'])
  const text = new NodeRequest(message).readText(100)
  message.destroy()
  expect(await text).toBeUndefined()
})

test('a request read from the first bytes is for DERP and has no body (P-120)', async () => {
  const request = new EarlyRequest({ upgrade: ['DERP'] }, new Socket(), undefined)
  const { method, target, version, headers } = request
  expect([method, target, version, headers]).toEqual(['GET', '/derp', '1.1', { upgrade: ['DERP'] }])
  expect(await request.readText()).toBe('')
})
