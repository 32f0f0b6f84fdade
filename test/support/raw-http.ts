/** Handwritten HTTP, for requests that no library would send. */

import type { Socket } from 'node:net'
import { connect } from 'node:net'
import { PATIENCE_MS } from './patience.ts'

/** A response as received. */
export interface RawResponse {
  readonly status: number
  /** By lower-case name; the last of duplicates. */
  readonly headers: ReadonlyMap<string, string>
  /** Names in order and as spelt. */
  readonly names: readonly string[]
  /** The body, or the bytes after a 101. */
  readonly body: Buffer
}

/** Sends `text` on a new loopback connection and reads the response. */
export async function rawRequest(port: number, text: string): Promise<RawResponse> {
  const socket = connect(port, '127.0.0.1')
  try {
    return await exchange(socket, text)
  } finally {
    socket.destroy()
  }
}

/** The same with request line and headers; adds `Host`. */
export function request(port: number, line: string, headers: readonly string[] = []): Promise<RawResponse> {
  return rawRequest(port, `${line} HTTP/1.1\r\n${['Host: relay.test', ...headers].join('\r\n')}\r\n\r\n`)
}

/** Sends `text` and reads one response; the socket stays open. */
export function exchange(socket: Socket, text: string): Promise<RawResponse> {
  const isHead = text.startsWith('HEAD ')
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0)
    const settle = (response: RawResponse | undefined, error?: Error) => {
      clearTimeout(timer)
      socket.off('data', onData).off('close', onClose).off('error', onError)
      if (response !== undefined) resolve(response)
      else reject(error)
    }
    const timer = setTimeout(() => settle(undefined, new Error(`wait for response to ${text}: none`)), PATIENCE_MS)
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk])
      const response = parseResponse(received, isHead)
      if (response !== undefined) settle(response)
    }
    const onClose = () => settle(undefined, new Error(`wait for response to ${text}: closed after "${received}"`))
    const onError = (error: Error) => settle(undefined, error)
    socket.on('data', onData).on('close', onClose).on('error', onError)
    socket.write(text)
  })
}

/** Undefined while the response is incomplete. */
function parseResponse(bytes: Buffer, isHead: boolean): RawResponse | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const fields = lines.map(
    line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const,
  )
  const headers = new Map(fields.map(([name, value]) => [name.toLowerCase(), value]))
  const status = Number(statusLine.split(' ')[1])
  const body = bytes.subarray(end + 4)
  const length = isHead || status === 204 ? 0 : Number(headers.get('content-length') ?? 0)
  if (body.length < length) return undefined
  return {
    status,
    headers,
    names: fields.map(([name]) => name),
    body: status === 101 ? body : body.subarray(0, length),
  }
}
